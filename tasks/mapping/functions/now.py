"""now(): when the run started, as ISO 8601 text in UTC; the same for every record."""

from __future__ import annotations

from datetime import UTC

from astrio.tasks.mapping.context import MappingContext

EXAMPLES = [("now()", "2026-01-02T03:04:05Z")]


def call(*, context: MappingContext) -> str:
    """Write the run's start."""
    moment = context.now.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds") + "Z"
