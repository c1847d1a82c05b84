"""The ledger's index: which file's stream has run, and where its state lives."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from astrio.blocks.errors import AstrioError
from astrio.flows.connecting import with_target
from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import destination_reference
from astrio.tasks.ledger.streams import KnownStream, remember_stream
from astrio.tasks.report import RunReport


def remember_run(file: Path, integration: Integration, report: RunReport) -> str | None:
    """Put the stream into the index, so that `status` and `quarantine` find it by name anywhere.

    Of several destinations, each.

    Returns:
        A warning if the ledger cannot be written, which fails no run; else None. A run whose
        saved database could not be read has not begun, and is not put in.
    """
    try:
        push = with_target(integration.push)
    except AstrioError:
        return None
    told = [
        remember_stream(
            KnownStream(
                integration=integration.name,
                destination=destination_reference(each),
                table_name=each.table,
                file=str(file.resolve()),
                cwd=str(Path.cwd()),
                last_run_at=datetime.now(UTC).isoformat(timespec="seconds"),
                last_state=report.state,
            )
        )
        for each in push.all
    ]
    return next(filter(None, told), None)
