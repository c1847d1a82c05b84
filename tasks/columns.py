"""From a mapping's target to the name of its SQL column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

RESERVED = "_astrio_"


def column_name(target: str) -> str:
    """Return the SQL column of a target: `customer.full_name` becomes `customer_full_name`."""
    return target.replace(".", "_")


def is_reserved(target: str) -> bool:
    """Whether the column would be taken for one of astrio's own."""
    return column_name(target).lower().startswith(RESERVED)


def clashes(targets: Iterable[str]) -> list[tuple[str, str]]:
    """Return (target, earlier target) for each target whose column an earlier one has already.

    SQL compares column names without regard to case, so `Id` clashes with `id`.
    """
    owners: dict[str, str] = {}
    pairs = ((target, owners.setdefault(column_name(target).lower(), target)) for target in targets)
    return [(target, owner) for target, owner in pairs if target != owner]


def key_places(columns: Sequence[str], key: Sequence[str]) -> list[int]:
    """Return where the key's values stand in a row; empty unless all of them do.

    A key may be named by its targets or by their SQL columns.
    """
    names = [column_name(column) for column in columns]
    wanted = [column_name(name) for name in key]
    return [names.index(name) for name in wanted] if set(wanted) <= set(names) else []


def key_of(row: Sequence[Any], places: Sequence[int]) -> tuple[Any, ...] | None:
    """Return a row's key, None where a part of it is null or empty: it identifies nothing."""
    key = tuple(row[place] for place in places)
    return key if key and not any(part is None or part == "" for part in key) else None
