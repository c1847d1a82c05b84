"""Children in tables of their own: replaced with their parent, in the transaction that writes it.

A digest of a row's children stands beside it in `_astrio_children`, so that a row whose children
have changed is a changed row, and the children of one that has not are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, TableClause, and_, exists, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from astrio.tasks.batch import Problem
from astrio.tasks.columns import column_name
from astrio.tasks.destinations.children import DIGEST, POSITION, ChildSettings
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.broods import RULE, Brood
from astrio.tasks.destinations.sql.bulk import Bulk, encoded
from astrio.tasks.destinations.sql.clauses import table_of
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target, quoted, run
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.keys import Key, key_columns
from astrio.tasks.destinations.sql.kinds import Kind, Unstorable
from astrio.tasks.destinations.sql.rows import Rows, columns_of, unstorable
from astrio.tasks.destinations.sql.schema import Schema, column_names
from astrio.tasks.destinations.sql.values import Column, take
from astrio.tasks.report import TableChanges

_ROW: Final = "_astrio_row"
_DIGEST: Final = "_astrio_digest"


class RefusedChildrenError(Exception):
    """Children that cannot be written: their parents' places, each with its problem."""

    def __init__(self, problems: Mapping[int, Problem]) -> None:
        super().__init__()
        self.problems = problems


class Families:
    """The tables of one parent's children; every call works within the caller's transaction."""

    def __init__(self, dialect: Dialect, push: PushSettings, table: str) -> None:
        """Take the settings, and the parent's table."""
        self._dialect = dialect
        self._push = push
        self._table = table
        self._fields: dict[str, dict[str, None]] = {field: {} for field in push.children}

    def changed(
        self,
        connection: Connection,
        relation: Relation,
        keys: Sequence[Key],
        broods: Sequence[Brood],
    ) -> set[int]:
        """Return the places of rows whose children are others than those in their tables.

        Args:
            connection: in the chunk's transaction.
            relation: the parent's table, before the rows go in.
            keys: the rows' keys, as the columns take them.
            broods: their children.
        """
        rows = [(*key, broods[at].digest, at) for at, key in enumerate(keys)]
        self._load(connection, relation, rows)
        loaded, table = self._loaded(relation), self._parents(relation)
        met = loaded.outerjoin(table, self._same(relation, loaded, table))
        stored = table.c[relation.columns[DIGEST].name]
        fresh = or_(stored.is_(None), stored != loaded.c[_DIGEST])
        found = connection.execute(select(loaded.c[_ROW]).select_from(met).where(fresh))
        return set(found.scalars())

    def replace(
        self,
        connection: Connection,
        relation: Relation,
        keys: Sequence[Key],
        rows: Rows,
        changed: set[int],
    ) -> TableChanges:
        """Put the children of changed rows in the place of those that were there.

        Of rows that the table does not hold now (they were refused, are older, or another of the
        same key came later), nothing is written.

        Raises:
            RefusedChildrenError: the database refuses a child, or it cannot be stored.
        """
        loaded, table = self._loaded(relation), self._parents(relation)
        holds = table.c[relation.columns[DIGEST].name] == loaded.c[_DIGEST]
        met = loaded.join(table, and_(self._same(relation, loaded, table), holds))
        found = connection.execute(select(loaded.c[_ROW]).select_from(met)).scalars()
        last: dict[Key, int] = {}
        for at in sorted(changed.intersection(found)):
            last[keys[at]] = at
        if last:
            self._load(connection, relation, [(*key, "", at) for key, at in last.items()])
        changes = TableChanges()
        for field, settings in self._push.children.items():
            child = _ChildTable(self._dialect, self._push, settings, relation)
            children = _children(rows, last, field, self._fields[field])
            schema = Schema(connection, self._dialect, settings.table)
            held = child.fit(schema, children)
            changes = changes.plus(named(settings.table, schema.changes))
            if last:
                its_key = [loaded.c[each.name] for each in key_columns(relation, self._push.key)]
                connection.execute(child.of(select(*its_key)))
            child.add(connection, held, children)
        return changes

    def forget(
        self,
        connection: Connection,
        relation: Relation,
        parents: TableClause,
        condition: ColumnElement[bool],
    ) -> None:
        """Delete the children of those of the parents of which the condition is true."""
        held = key_columns(relation, self._push.key)
        for settings in self._push.children.values():
            names = settings.parent_columns(self._push.table, self._push.key)
            if self._dialect.describe(connection, settings.table) is None:
                continue
            child = table_of(settings.table, names)
            pairs = zip(names, held, strict=True)
            same = (child.c[name] == parents.c[each.name] for name, each in pairs)
            gone = select(1).select_from(parents).where(*same, condition).correlate(child)
            connection.execute(child.delete().where(exists(gone)))

    def _load(
        self, connection: Connection, relation: Relation, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        held = key_columns(relation, self._push.key)
        name = self._name(relation)
        columns = ", ".join(quoted(each.name) for each in held)
        digest_ = f"{quoted(relation.columns[DIGEST].name)} AS {quoted(_DIGEST)}"
        run(
            connection,
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {quoted(name)} AS SELECT {columns}, {digest_}, "  # noqa: S608 (names are quoted)
            f"0 AS {quoted(_ROW)} FROM {quoted(relation.name)} WHERE 1 = 0",
        )
        self._dialect.empty(connection, name)
        names = (*(each.name for each in held), _DIGEST, _ROW)
        types = (relation.columns[DIGEST].declared, self._dialect.types[Kind.INT])
        declared = (*(each.declared for each in held), *types)
        self._dialect.put(connection, Target(name, names, declared=declared), rows)

    def _name(self, relation: Relation) -> str:
        held = key_columns(relation, self._push.key)
        return f"_astrio_family_{digest(repr((relation.name, held)))}"

    def _loaded(self, relation: Relation) -> TableClause:
        held = key_columns(relation, self._push.key)
        return table_of(self._name(relation), [*(each.name for each in held), _DIGEST, _ROW])

    def _parents(self, relation: Relation) -> TableClause:
        return table_of(relation.name, [each.name for each in relation.columns.values()])

    def _same(
        self, relation: Relation, loaded: TableClause, table: TableClause
    ) -> ColumnElement[bool]:
        held = key_columns(relation, self._push.key)
        return and_(*(loaded.c[each.name] == table.c[each.name] for each in held))


@dataclass(frozen=True, slots=True)
class _Children:
    """The children that go into one table: rows, and for each the place of its parent."""

    rows: Rows
    parents: list[int]
    keys: list[Key]


class _ChildTable:
    """One table of children."""

    def __init__(
        self, dialect: Dialect, push: PushSettings, settings: ChildSettings, parent: Relation
    ) -> None:
        self._dialect = dialect
        self._settings = settings
        self._parents = settings.parent_columns(push.table, push.key)
        self._key = key_columns(parent, push.key)

    def fit(self, schema: Schema, children: _Children) -> list[Held]:
        """Make the table hold the children, and return its columns in their order.

        Raises:
            RefusedChildrenError: no column holds one of their values.
        """
        columns = self._columns(children)
        kinds = [Kind.TEXT if each.kind is Kind.ANY else each.kind for each in self._key]
        names = column_names(children.rows.fields, self._dialect.longest_name)
        wanted: list[tuple[str, Kind | None]] = list(zip(self._parents, kinds, strict=True))
        wanted.append((POSITION, Kind.INT))
        wanted += [(name, each.kind) for name, each in zip(names, columns, strict=True)]
        own = tuple(map(column_name, self._settings.key)) or (POSITION,)
        known = {name.lower() for name, _ in wanted}
        key = (*self._parents, *own) if {each.lower() for each in own} <= known else ()
        return schema.fit(wanted, key)[1]

    def of(self, keys: Any) -> Any:
        """Return what deletes the children of these parents."""
        child = table_of(self._settings.table, self._parents)
        its_key = [child.c[name] for name in self._parents]
        one = its_key[0] if len(its_key) == 1 else tuple_(*its_key)
        return child.delete().where(one.in_(keys))

    def add(self, connection: Connection, held: Sequence[Held], children: _Children) -> None:
        """Insert the children.

        Raises:
            RefusedChildrenError: the database refuses some.
        """
        if not children.rows.rows:
            return
        places = list(zip(*children.keys, strict=True))
        head = [take(each, self._dialect.native, nan=self._dialect.nan) for each in places]
        columns = [*head, *self._columns(children)]
        whole = [(*key, *row) for key, row in zip(children.keys, children.rows.rows, strict=True)]
        values = encoded(whole, columns, held)
        declared = tuple(each.declared for each in held)
        target = Target(self._settings.table, tuple(each.name for each in held), (), declared)
        bulk = Bulk(connection, self._dialect, target)
        bulk.write(values)
        self._refuse(children, bulk.refused)

    def _columns(self, children: _Children) -> list[Column]:
        native, nan = self._dialect.native, self._dialect.nan
        if not children.rows.fields:
            return []
        try:
            return columns_of(children.rows, native, nan=nan)
        except Unstorable:
            self._refuse(children, unstorable(children.rows, native, nan=nan))
            raise

    def _refuse(self, children: _Children, problems: Mapping[int, Problem]) -> None:
        told: dict[int, Problem] = {}
        for at, problem in problems.items():
            name = f" {problem.field}" if problem.field else ""
            reason = f"a row of {self._settings.table}{name}: {problem.reason}"
            told.setdefault(children.parents[at], Problem(None, RULE, reason))
        if told:
            raise RefusedChildrenError(told)


def _children(rows: Rows, last: Mapping[Key, int], field: str, known: dict[str, None]) -> _Children:
    """Return the children of those rows, with every field that was ever seen."""
    found = [
        (key, at, position, child)
        for key, at in last.items()
        for position, child in enumerate(rows.more[at].lists[field], start=1)
    ]
    for *_, child in found:
        known.update(dict.fromkeys(child))
    fields = tuple(known)
    values = [tuple(map(child.get, fields)) for *_, child in found]
    parents = [at for _, at, *_ in found]
    keys = [(*key, position) for key, _, position, _ in found]
    return _Children(
        Rows(fields, (), values, [(rows.sources, at) for at in parents]), parents, keys
    )


def named(table: str, changes: TableChanges) -> TableChanges:
    """Return the changes of a child's table, told with its name."""
    return TableChanges(
        added=[f"{table}.{name}" for name in changes.added],
        widened={f"{table}.{name}": how for name, how in changes.widened.items()},
    )
