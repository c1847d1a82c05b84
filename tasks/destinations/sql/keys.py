"""Keys as the table's columns take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from astrio.tasks.batch import Batch
from astrio.tasks.columns import column_name, key_places
from astrio.tasks.destinations.sql.bulk import encoded
from astrio.tasks.destinations.sql.contract import fits
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.kinds import Unstorable
from astrio.tasks.destinations.sql.values import take

Key = tuple[Any, ...]


def key_columns(relation: Relation, key: Sequence[str]) -> list[Held]:
    """Return the table's columns of the key's targets; empty if one is missing."""
    found = [relation.columns.get(column_name(name).lower()) for name in key]
    return [] if None in found else [each for each in found if each is not None]


def keys_of(batch: Batch, key: Sequence[str]) -> Iterator[Key]:
    """Yield the key of each row that has one."""
    places = key_places(batch.columns, key)
    if not places:
        return
    columns = [[row[place] for row in batch.rows] for place in places]
    for values in zip(*columns, strict=True):
        if None not in values:
            yield values


def fitted_keys(dialect: Dialect, held: Sequence[Held], keys: Sequence[Key]) -> list[Key]:
    """Return keys as the columns take them, without those that no row of the table can have."""
    if not keys:
        return []
    try:
        columns = [take(each, dialect.native, nan=dialect.nan) for each in zip(*keys, strict=True)]
    except Unstorable:
        columns = []
    pairs = zip(held, columns, strict=True) if columns else ()
    if columns and all(fits(dialect, each, column.kind) for each, column in pairs):
        return encoded(list(keys), columns, held)
    middle = len(keys) // 2
    halves = (keys[:middle], keys[middle:]) if middle else ()
    return [each for half in halves for each in fitted_keys(dialect, held, half)]


def fitted_value(dialect: Dialect, held: Held, value: Any) -> Any:
    """Return a value that fits as the column takes it."""
    column = take((value,), dialect.native, nan=dialect.nan)
    return encoded([(value,)], [column], [held])[0][0]
