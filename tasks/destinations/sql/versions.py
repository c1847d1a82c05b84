"""`mode: history`: rows become versions, of which the current one is open.

The rows of a chunk are loaded into a temporary table. Those that are new, or differ from the open
version of their key, go into a second one; from there the open versions are closed, and the new
ones added. A row that changes again at the time at which its open version began takes its place:
no version is empty. What has not changed is read, and never written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    Connection,
    FromClause,
    TableClause,
    and_,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from astrio.tasks.destinations.sql.clauses import comparable, table_of
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Target, quoted, run
from astrio.tasks.destinations.sql.digests import digest

Rows = Sequence[tuple[Any, ...]]
_STATE: Final = "_astrio_state"
_ADDED: Final[ColumnElement[int]] = literal_column("0")
_LATER: Final[ColumnElement[int]] = literal_column("1")
_AT_ONCE: Final[ColumnElement[int]] = literal_column("2")


@dataclass(frozen=True, slots=True)
class Versions:
    """A table of versions.

    Attributes:
        target: the loaded columns, `valid_from` the last of them; `key` tells the rows apart.
        held: the same columns as the table has them.
        until: the real name of the column `valid_to`.
    """

    dialect: Dialect
    target: Target
    held: Sequence[Held]
    until: str

    def prepare(self, connection: Connection) -> None:
        """Make the temporary tables, if there are none yet."""
        columns = ", ".join(map(quoted, self.target.columns))
        of = f"FROM {quoted(self.target.table)} WHERE 1 = 0"
        for name, more in ((self._loaded, ""), (self._fresh, f", 0 AS {quoted(_STATE)}")):
            make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {quoted(name)}"
            run(connection, f"{make} AS SELECT {columns}{more} {of}")

    def put(self, connection: Connection, rows: Rows) -> int:
        """Let rows meet the table, and return how many have changed it.

        Raises:
            Exception: the driver's own error, as `Dialect.put` raises it.
        """
        try:
            return sum(self._merge(connection, turn) for turn in self._turns(rows))
        except DBAPIError as error:
            raise (error.orig if isinstance(error.orig, Exception) else error) from error

    def _merge(self, connection: Connection, rows: Rows) -> int:
        columns, key = self.target.columns, self.target.key
        for name in (self._loaded, self._fresh):
            self.dialect.empty(connection, name)
        plain = Target(self._loaded, columns, declared=self.target.declared)
        self.dialect.put(connection, plain, rows)
        fresh = table_of(self._fresh, [*columns, _STATE])
        connection.execute(insert(fresh).from_select(list(fresh.c.keys()), self._changes()))
        table = table_of(self.target.table, [*columns, self.until])
        is_open = table.c[self.until].is_(None)
        replaced = select(*(fresh.c[each] for each in key)).where(fresh.c[_STATE] == _AT_ONCE)
        first, *more = (table.c[each] for each in key)
        its_key = tuple_(first, *more) if more else first
        connection.execute(table.delete().where(is_open, its_key.in_(replaced)))
        same = (table.c[each] == fresh.c[each] for each in key)
        closed = table.update().where(*same, is_open, fresh.c[_STATE] == _LATER)
        connection.execute(closed.values({self.until: fresh.c[self._since]}))
        added = select(*(fresh.c[each] for each in columns))
        connection.execute(insert(table).from_select(list(columns), added))
        return connection.execute(select(func.count()).select_from(fresh)).scalar_one()

    def _changes(self) -> Any:
        """Return the query for the rows that are new or differ, and what becomes of each."""
        new = table_of(self._loaded, self.target.columns)
        known = [*self.target.columns, self.until]
        old = table_of(self.target.table, known).alias("open_version")
        is_open = old.c[self.until].is_(None)
        since, began = new.c[self._since], old.c[self._since]
        is_new = old.c[self.target.key[0]].is_(None)
        later = or_(began.is_(None), since > began)
        state = case((is_new, _ADDED), (later, _LATER), else_=_AT_ONCE)
        ended = self._ended(new)
        at = case((and_(is_new, ended > since), ended), (or_(is_new, later), since), else_=began)
        changed = and_(self._differs(old, new), *self._not_older(old, new))
        chosen = [new.c[each] for each in self.target.columns[:-1]]
        return (
            select(*chosen, at, state)
            .select_from(new.outerjoin(old, and_(self._same(old, new), is_open)))
            .where(or_(and_(is_new, *self._not_outdated(new)), and_(~is_new, changed)))
        )

    def _ended(self, new: TableClause) -> ColumnElement[Any]:
        """Return when the last closed version ended: one that comes back begins no earlier."""
        old = table_of(self.target.table, [*self.target.key, self.until]).alias("closed_version")
        last = select(func.max(old.c[self.until])).where(self._same(old, new))
        return last.correlate(new).scalar_subquery()

    def _not_outdated(self, new: TableClause) -> Iterator[ColumnElement[bool]]:
        """Yield what keeps a row from coming back that is older than its closed version."""
        if self.target.version:
            name = self.target.version
            old = table_of(self.target.table, [*self.target.key, name]).alias("newer_version")
            before, after = self._ordered(old), self._ordered(new)
            newer = select(1).select_from(old).where(self._same(old, new), before > after)
            yield ~exists(newer.correlate(new))

    def _differs(self, old: FromClause, new: TableClause) -> ColumnElement[bool]:
        pairs = [
            self._compared(old, each).is_distinct_from(self._compared(new, each))
            for each in self.held[:-1]
            if each.name not in self.target.key
        ]
        return or_(*pairs) if pairs else literal_column("1") == literal_column("0")

    def _compared(self, of: FromClause, held: Held) -> ColumnElement[Any]:
        return self.dialect.ordered(comparable(of.c[held.name], held), held)

    def _same(self, old: FromClause, new: TableClause) -> ColumnElement[bool]:
        return and_(*(old.c[each] == new.c[each] for each in self.target.key))

    def _not_older(self, old: FromClause, new: TableClause) -> Iterator[ColumnElement[bool]]:
        """Yield what lets no row of a lower version through."""
        if self.target.version:
            missing = old.c[self.target.version].is_(None)
            yield or_(missing, self._ordered(new) >= self._ordered(old))

    def _ordered(self, of: FromClause) -> ColumnElement[Any]:
        name = self.target.version
        held = self.held[self.target.columns.index(name)]
        return self.dialect.ordered(of.c[name], held)

    @property
    def _since(self) -> str:
        return self.target.columns[-1]

    @property
    def _loaded(self) -> str:
        return f"_astrio_load_{digest(repr(self.target))}"

    @property
    def _fresh(self) -> str:
        return f"_astrio_fresh_{digest(repr(self.target))}"

    def _turns(self, rows: Rows) -> Iterator[Rows]:
        """Yield the rows in turns in which no key comes twice."""
        keys = list(map(itemgetter(*map(self.target.columns.index, self.target.key)), rows))
        if len(set(keys)) == len(keys):
            yield rows
            return
        turns: list[list[tuple[Any, ...]]] = []
        seen = Counter[Any]()
        for key, row in zip(keys, rows, strict=True):
            if seen[key] == len(turns):
                turns.append([])
            turns[seen[key]].append(row)
            seen[key] += 1
        yield from turns
