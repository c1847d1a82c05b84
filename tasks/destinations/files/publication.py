"""What the ledger notes of a run's file.

First that it is being written; then all that it takes to show it, and to move the stream's state
on. It stands where a stream's resume point does, so that `status` tells of an unfinished run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from astrio.tasks.destinations.files.place import Traces

_KEY: Final = "publication"


@dataclass(frozen=True, slots=True)
class Publication:
    """A file on its way.

    Attributes:
        traces: what the place notes of it.
        due: it is complete, and will be shown; else it is only being written.
        run_id: whose file it is.
        started: when that run began; None: it is not known.
        mapping: names the version of its mapping and rules.
        report: the run's report, as it will be kept.
        written: what people call the file; None: there is none.
        rows: how many it has.
        watermark: what the stream's becomes; None: it stays.
        ties: the records at the watermark.
        profile: what will be remembered of the fields.
        partitions: watermarks of parts of the source.
        effects: events whose effect the file is.
        mended: who leaves the quarantine.
        closing: ids of the replayed rows of the quarantine that are closed.
    """

    traces: Traces
    due: bool = False
    run_id: str = ""
    started: str | None = None
    mapping: str | None = None
    report: dict[str, Any] = field(default_factory=dict)
    written: str | None = None
    rows: int = 0
    watermark: Any = None
    ties: dict[str, Any] | None = None
    profile: dict[str, Any] | None = None
    partitions: dict[str, Any] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    closing: list[int] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `read` makes an equal one of."""
        return {_KEY: asdict(self)}

    @classmethod
    def read(cls, stored: dict[str, Any] | None) -> Publication | None:
        """Return what `to_json` wrote, None if nothing is on its way."""
        return cls(**stored[_KEY]) if stored and _KEY in stored else None
