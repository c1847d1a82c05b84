"""The mapping and rules of a stream's last run, remembered on this machine for `preview`.

A convenience, no state: one small file for each integration and table in `ASTRIO_HOME/mappings`,
written by whatever process carries a run out. Without Prefect and SQLAlchemy, as `preview` is.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from astrio.flows.integration import Integration
from astrio.tasks.ledger.home import astrio_home, make_astrio_home

_FOLDER = "mappings"


@dataclass(frozen=True, slots=True)
class LastMapping:
    """What a run has mapped and judged by.

    Attributes:
        map: targets and values; None: records passed through.
        rules: the entries of `validate:`, or the name of a function or model.
        ended: when that run ended, ISO 8601.
    """

    map: dict[str, Any] | None
    rules: Any
    ended: str


def mapping_now(integration: Integration, ended: str = "") -> LastMapping:
    """Return what the integration maps and judges by today."""
    dumped = integration.model_dump(
        mode="json", include={"rules"}, by_alias=True, exclude_defaults=True
    )
    return LastMapping(integration.map, dumped.get("validate", []), ended)


def remember_mapping(integration: Integration) -> None:
    """Remember what a run that has ended well mapped by; a disk that is full fails no run."""
    now = mapping_now(integration, datetime.now(UTC).isoformat(timespec="seconds"))
    stored = {"map": now.map, "rules": now.rules, "ended": now.ended}
    with suppress(OSError):
        make_astrio_home()
        path = _path(integration)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            json.dump(stored, file)
        os.replace(file.name, path)


def last_mapping(integration: Integration) -> LastMapping | None:
    """Return what the stream's last run from this machine mapped by; None: it is not known."""
    try:
        return LastMapping(**json.loads(_path(integration).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _path(integration: Integration) -> Path:
    return astrio_home() / _FOLDER / f"{integration.name}.{integration.push.table}.json"
