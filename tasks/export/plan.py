"""What follows after a job was created."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from astrio.tasks.export.settings import ExportSettings

Judge = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Export:
    """The settings, with their expressions compiled.

    Attributes:
        settings: `source.export`.
        done: whether an answer says that the files are ready.
        failed: whether it says that the job has failed.
        scope: what templates may name beside the job.
    """

    settings: ExportSettings
    done: Judge
    failed: Judge | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)
