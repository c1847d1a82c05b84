"""Destinations by their settings; what a destination needs is imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.columns import is_reserved
from astrio.tasks.destinations.base import Destination
from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.destinations.quarantined import QuarantineRow, StreamStatus
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.difference import ChangedRow
from astrio.tasks.replayed import Stored

if TYPE_CHECKING:
    from astrio.tasks.destinations.sql.reading import SqlReader


def open_destination(
    push: PushSettings, integration: str, keeping: QuarantineSettings | None = None
) -> Destination:
    """Return the destination, not yet connected; `keeping` is for how long rejects are kept.

    Raises:
        ConfigurationError: a variable is not set, the database is unknown, or the table's name
            is one of astrio's own.
    """
    from astrio.tasks.destinations.sql.destination import SqlDestination

    _check(push)
    if isinstance(push.to, OtherTarget):
        return push.to.destination(push, integration, keeping)
    return SqlDestination(push, integration, keeping)


def open_dry_run(
    push: PushSettings,
    integration: str,
    keeping: QuarantineSettings | None,
    examples: list[ChangedRow],
    *,
    apart: bool = False,
) -> Destination:
    """Return a destination that stays as it is: whatever is done to it is rolled back.

    With `apart` it works on a copy of a database that takes one writer at a time, as another dry
    run is at work in it.

    It puts the difference that a run would make into the report, and the first changed rows, which
    hold people's data, into `examples`.

    Raises:
        ConfigurationError: as `open_destination`; or what is sent there cannot be taken back.
    """
    from astrio.tasks.destinations.sql.dry.destination import DryRun

    _check(push)
    if isinstance(push.to, OtherTarget):
        return push.to.dry_run(push, integration, keeping, examples)
    return DryRun(push, integration, keeping, examples=examples, apart=apart)


def takes_back(push: PushSettings) -> bool:
    """Whether a slice that is written in one transaction can be rolled back."""
    return not isinstance(push.to, OtherTarget) or push.to.takes_back


def destination_reference(push: PushSettings) -> str:
    """Return what identifies the destination to people, without secrets: an absolute path, say.

    Raises:
        ConfigurationError: as `open_destination`.
    """
    from astrio.tasks.destinations.sql.database import Database

    return Database.of(push.target).reference


def takes_one_writer(push: PushSettings) -> bool:
    """Whether the database that the state lives in takes one writer at a time, even of a process.

    Raises:
        ConfigurationError: as `open_destination`.
    """
    from astrio.tasks.destinations.sql.database import Database

    return Database.of(push.target).backend == "sqlite"


def quarantine_rows(
    push: PushSettings, integration: str, state: str | None = "open"
) -> list[QuarantineRow]:
    """Return the stream's quarantined records in that state (None: all), oldest first."""
    return _reader(push, integration).quarantine_rows(state)


def quarantine_records(
    push: PushSettings, integration: str, numbers: Sequence[int]
) -> list[dict[str, Any]]:
    """Return quarantined records: each row, and beside it `record` and all `problems`.

    Raises:
        ConfigurationError: the stream has no such row.
    """
    found = _reader(push, integration).quarantine_records(numbers)
    unknown = sorted(set(numbers) - {row["id"] for row in found})
    if unknown:
        raise ConfigurationError(
            f"The quarantine of {integration} has no record {', '.join(map(str, unknown))}.",
            advice="See the ids with `astrio quarantine list`.",
        )
    return found


def replayable(push: PushSettings, integration: str, numbers: Sequence[int] = ()) -> list[int]:
    """Return the ids of the stream's open rows, oldest first: all, or those of `numbers`.

    Raises:
        ConfigurationError: one of `numbers` is no open row.
    """
    found = _reader(push, integration).open_numbers()
    closed = sorted(set(numbers) - set(found))
    if closed:
        raise ConfigurationError(
            f"The quarantine of {integration} has no open record {', '.join(map(str, closed))}.",
            advice="See the ids with `astrio quarantine list`.",
        )
    return sorted(set(numbers)) if numbers else found


def discard_records(
    push: PushSettings, integration: str, numbers: Sequence[int] = (), note: str | None = None
) -> int:
    """Close open rows, all of the stream's or those of `numbers`; return how many.

    Raises:
        ConfigurationError: one of `numbers` is no open row; nothing is discarded.
    """
    from astrio.tasks.destinations.sql.discarding import discard

    chosen = replayable(push, integration, numbers)
    return discard(push, integration, chosen, note) if chosen else 0


def stored_records(push: PushSettings, integration: str, numbers: Sequence[int]) -> list[Stored]:
    """Return those of the rows that are open, as a replay takes them; oldest first."""
    return _reader(push, integration).stored(numbers)


def last_runs(
    push: PushSettings, integration: str, limit: int = 10, part: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the latest run reports of the stream, or of a part of it, newest first.

    Each is a run report with `run_id`, `started_at` and `finished_at` beside it; of a run that
    is at work, or was killed, there is only `integration` and a `state` of `running`.
    """
    return _reader(push, integration, part).last_runs(limit)


def stream_status(push: PushSettings, integration: str) -> StreamStatus:
    """Return where the stream stands."""
    return _reader(push, integration).status()


def parts_done(
    push: PushSettings, integration: str, names: Sequence[str], part: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the reports of those parts of the stream (or of a part of it) that are done.

    `names` are what they are remembered by (`Part.once`).
    """
    return _reader(push, integration, part).parts_done(names)


def parts_held(push: PushSettings, integration: str, part: Sequence[str] = ()) -> set[str]:
    """Return the names of the stream's parts (or a part's) that a run is at work on."""
    return _reader(push, integration, part).parts_held()


def _reader(push: PushSettings, integration: str, part: Sequence[str] = ()) -> SqlReader:
    from astrio.tasks.destinations.sql.reading import SqlReader

    _check(push)
    return SqlReader(push, integration, part)


def _check(push: PushSettings) -> None:
    if push.children and (push.mode != "upsert" or not push.key or push.contract.holds):
        raise ConfigurationError(
            "push.children needs `mode: upsert` and `key`, and goes with no `contract`.",
            advice="Leave `children` out, and lists are kept as JSON columns.",
        )
    if is_reserved(push.table):
        raise ConfigurationError(
            f"push.table: {push.table} begins like astrio's own tables.",
            advice="Choose another name.",
        )
