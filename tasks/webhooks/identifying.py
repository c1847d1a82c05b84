"""Ids as people give them: whole, or their beginning where only one begins so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, select

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.ledger.opening import Ledger

_MOST: Final = 4  # that are told where several begin so


def identified(
    given: str, columns: Sequence[Column[Any]], unknown: ConfigurationError, ledger: Ledger
) -> str:
    """Return the whole id that is meant by `given`; one that is whole goes first.

    Args:
        given: an id, or its beginning.
        columns: where ids are; not all of them need to be unique.
        unknown: is raised if there is none.
        ledger: astrio's own database; one that does not exist is empty.

    Raises:
        ConfigurationError: there is none, or several ids begin so.
    """
    if not given or not ledger.exists():
        raise unknown
    found: set[str] = set()
    with ledger.reading() as connection:
        for column in columns:
            if connection.execute(select(column).where(column == given).limit(1)).first():
                return given
        for column in columns:
            begins = column.startswith(given, autoescape=True)
            ids = connection.execute(select(column).where(begins).distinct().limit(_MOST * 2))
            found |= {each for each in ids.scalars() if each.startswith(given)}  # as written
    if not found:
        raise unknown
    if len(found) > 1:
        some = sorted(found)
        more = ", …" if len(some) > _MOST else ""
        raise ConfigurationError(
            f"Several ids begin with {given}: {', '.join(some[:_MOST])}{more}.",
            advice="Give more of it.",
        )
    return found.pop()
