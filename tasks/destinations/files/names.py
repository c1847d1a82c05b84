"""Names of columns in formats that are tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from astrio.tasks.columns import column_name


def column_names(fields: Iterable[str]) -> list[str]:
    """Return `customer_name` for `customer.name`, unless two fields would share that name."""
    fields = list(fields)
    taken = Counter(map(column_name, fields))
    return [column_name(each) if taken[column_name(each)] == 1 else each for each in fields]
