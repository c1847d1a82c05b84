"""Moments as the state tables keep them: ISO 8601 text in UTC, which sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """Return e.g. `2026-11-23T22:04:00.123456+00:00`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def read(text: str) -> datetime:
    """Return the moment that `written` wrote."""
    return datetime.fromisoformat(text)
