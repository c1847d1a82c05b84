"""The staging table of a dry run: compared with the table before it takes its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select, table
from sqlalchemy import column as named
from sqlalchemy.sql.elements import ColumnClause, ColumnElement, quoted_name
from sqlalchemy.sql.selectable import NamedFromClause

from astrio.tasks.destinations.sql.clauses import comparable
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.dry.images import rows_in
from astrio.tasks.destinations.sql.dry.watching import Watch
from astrio.tasks.destinations.sql.staging import Staging
from astrio.tasks.destinations.sql.stream import Stream
from astrio.tasks.difference import MOST_EXAMPLES, Difference


class ComparedStaging(Staging):
    """A staging table that tells the watch how its rows differ from the table's."""

    def __init__(self, dialect: Dialect, stream: Stream, key: Sequence[str], watch: Watch) -> None:
        super().__init__(dialect, stream, key)
        self._watch = watch

    def _count_gone(self, connection: Connection, staging: Relation, key: Sequence[str]) -> int:
        gone = super()._count_gone(connection, staging, key)
        found = Difference(removed=gone, new=rows_in(connection, staging.name))
        if key:
            self._compare(connection, staging, key, found)
        self._watch.replaced = found
        return gone

    def _compare(
        self, connection: Connection, staging: Relation, key: Sequence[str], found: Difference
    ) -> None:
        relation = self._dialect.describe(connection, self._table)
        assert relation is not None  # it was there when the rows that are gone were counted
        pairs = [
            (held, staging.columns[name])
            for name, held in relation.columns.items()
            if name in staging.columns
        ]
        old = _named(relation.name, [held for held, _ in pairs], "old")
        new = _named(staging.name, [held for _, held in pairs], "new")
        lower = {name.lower() for name in key}
        same, other = [], []
        for held, staged in pairs:
            one, its = old.c[held.name], new.c[staged.name]
            if held.name.lower() in lower:
                same.append(one == its)
            else:
                before, after = comparable(one, held), comparable(its, staged)
                ordered = self._dialect.ordered
                other.append(ordered(before, held).is_distinct_from(ordered(after, staged)))
        differs: ColumnElement[bool] | None = or_(*other) if other else None
        known = exists(select(1).select_from(old).where(*same).correlate(new))
        matched = connection.execute(select(func.count()).select_from(new).where(known))
        found.new -= (met := matched.scalar_one())
        if differs is not None:
            joined = new.join(old, and_(*same))
            changed = select(func.count()).select_from(joined).where(differs)
            found.changed = min(met, connection.execute(changed).scalar_one())
            its_key = [new.c[held.name] for _, held in pairs if held.name.lower() in lower]
            first = select(*its_key).select_from(joined).where(differs).order_by(*its_key)
            rows = connection.execute(first.limit(MOST_EXAMPLES))
            self._watch.note([tuple(row) for row in rows])
        found.unchanged = met - found.changed


def _named(name: str, held: Sequence[Held], alias: str) -> NamedFromClause:
    columns: list[ColumnClause[Any]] = [named(quoted_name(each.name, quote=True)) for each in held]
    return table(quoted_name(name, quote=True), *columns).alias(alias)
