"""What a run is called in each of several destinations, which may share a database."""

from __future__ import annotations

from hashlib import sha256


def name_of(reference: str, table: str) -> str:
    """Return what tells a destination from others: its address and its table."""
    return f"{table} ({reference})"


def of_run(run: str, name: str) -> str:
    """Return the id of a logical run in the destination of that name."""
    return f"{run}-{sha256(name.encode()).hexdigest()[:8]}"
