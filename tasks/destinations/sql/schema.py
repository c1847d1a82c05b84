"""Making the table fit the rows: created, given more columns, or wider ones."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, column, func, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement, quoted_name

from astrio.blocks.errors import DestinationError
from astrio.tasks.columns import RESERVED, clashes, column_name, is_reserved
from astrio.tasks.destinations.sql import added_columns, changing, tables
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, quoted, run
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.kinds import EXACT_DOUBLE, WORDS, Kind, join
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.report import TableChanges
from astrio.tasks.texts import is_unicode

Wanted = Sequence[tuple[str, Kind | None]]


class UnfitError(DestinationError):
    """Columns of types that only users make cannot hold the values."""

    def __init__(self, table: str, conflicts: Sequence[tuple[Held, Kind]]) -> None:
        """Take the table, and each column with the kind of its values."""
        words = (
            f"{held.name} is {held.declared}, and its values are {WORDS[kind]}"
            for held, kind in conflicts
        )
        super().__init__(
            f"The table {table} has columns that cannot hold the values: {'; '.join(words)}.",
            advice="Convert the values in `map`, change the columns, or name another table.",
        )
        self.columns = [held for held, _ in conflicts]


def column_names(fields: Sequence[str], longest: int) -> list[str]:
    """Return the SQL names of target fields, of at most `longest` bytes.

    Raises:
        DestinationError: a name cannot be used, or two fields would share a column.
    """
    for field, earlier in clashes(fields):
        raise _unusable(field, f"the field {earlier!r} has the same column")
    for field in fields:
        if is_reserved(field):
            raise _unusable(field, f"names that begin with {RESERVED} are astrio's own")
        if not field or "\0" in field or not is_unicode(field):
            raise _unusable(field, "it is empty, or has characters that no database takes")
        if len(field.encode()) > longest:
            raise _unusable(field, f"this database's names have at most {longest} bytes")
    return [column_name(field) for field in fields]


def _unusable(field: str, why: str) -> DestinationError:
    return DestinationError(
        f"The field {field!r} cannot become a column: {why}.",
        advice="Give it another name in `map`.",
    )


def _index_name(table: str, key: Sequence[str], longest: int) -> str:
    name = f"{RESERVED}key_{table}_{'_'.join(key)}"
    return name if len(name.encode()) <= longest else f"{RESERVED}key_{digest(name)}"


def _is_distinct(relation: Relation, key: Sequence[str]) -> bool:
    return not key or frozenset(name.lower() for name in key) in relation.unique


def _in_order(relation: Relation, wanted: Wanted) -> list[Held]:
    return [relation.columns[name.lower()] for name, _ in wanted]


def _fits(relation: Relation | None, wanted: Wanted) -> bool:
    """Whether the table stands, with columns that plainly hold these kinds."""
    if relation is None:
        return False
    columns = [(relation.columns.get(name.lower()), kind) for name, kind in wanted]
    return all(
        held is not None and (kind is None or kind is held.kind or kind in held.takes)
        for held, kind in columns
    )


class Schema:
    """One table of the destination; every call works within the caller's transaction.

    Attributes:
        changes: how `fit` has changed a table that was there before.
    """

    def __init__(
        self, connection: Connection, dialect: Dialect, name: str, stamp: Stamp | None = None
    ) -> None:
        """Take the table's name, and who makes columns, if that is to be noted."""
        self._connection = connection
        self._dialect = dialect
        self._name = name
        self._stamp = stamp
        self.changes = TableChanges()
        self._without_values = set[str]()

    def describe(self) -> Relation | None:
        """Return the table as it stands, None if there is none."""
        return self._dialect.describe(self._connection, self._name)

    def fit(
        self, wanted: Wanted, key: Sequence[str], *, retype: bool = True
    ) -> tuple[Relation, list[Held]]:
        """Make the table hold columns of these names and kinds, distinct by `key`.

        Args:
            wanted: the columns' names, and the kinds of their values.
            key: names of the columns by which rows are told apart.
            retype: whether a column may change its type; if not, each value fits as it is.

        Returns:
            The table, and its columns in the order of `wanted`.

        Raises:
            DestinationError: it is a view, has columns that cannot hold these kinds, or its rows
                are not distinct by `key`.
        """
        relation = self.describe()
        if not (self._dialect.undoes_changes or changing.are_allowed(self._connection)):
            self._put_off(relation, wanted, key, retype=retype)
        if not _fits(relation, wanted):
            # Another run may be about to make or change it, too: one after the other.
            self._dialect.queue(self._connection)
            relation = self.describe()
        if relation is None:
            self._create(wanted, key)
        elif relation.is_view:
            raise DestinationError(
                f"{relation.name} is a view, and rows are pushed to tables only.",
                advice="Name another table in push.table.",
            )
        else:
            changes = self._changes(relation, wanted, retype=retype)
            added = self._add(relation, wanted)
            if changes:
                self._dialect.retype(self._connection, relation, changes)
                self._tell(relation, changes)
            self._forget_untyped(wanted)
            indexed = self._make_distinct(relation, key)
            if not (changes or added or indexed):
                return relation, _in_order(relation, wanted)
        fitted = self._dialect.describe(self._connection, self._name)
        assert fitted is not None
        return fitted, _in_order(fitted, wanted)

    def _put_off(
        self, relation: Relation | None, wanted: Wanted, key: Sequence[str], *, retype: bool
    ) -> None:
        """Raise a TableChange if the table does not fit: a change would commit the transaction."""
        if relation is not None and self._is_fit(relation, wanted, key, retype):
            return
        how = (self._dialect, self._name, self._stamp)

        def make(connection: Connection) -> TableChanges:
            schema = Schema(connection, *how)
            with self._dialect.alone(connection), changing.allowed(connection):
                schema.fit(wanted, key, retype=retype)
            return schema.changes

        raise changing.TableChange(self._name, (self._name, tuple(wanted), tuple(key)), make)

    def _is_fit(self, relation: Relation, wanted: Wanted, key: Sequence[str], retype: bool) -> bool:
        present = all(name.lower() in relation.columns for name, _ in wanted)
        if relation.is_view or not (present and _is_distinct(relation, key)):
            return relation.is_view
        return not self._changes(relation, wanted, retype=retype)

    def _create(self, wanted: Wanted, key: Sequence[str]) -> None:
        columns = [f"{quoted(name)} {self._new_type(name, kind, key)}" for name, kind in wanted]
        primary = [f"PRIMARY KEY ({', '.join(map(quoted, key))})"] if key else []
        body = ", ".join(columns + primary)
        # Noted first: what is noted of a column that is not there harms nobody.
        self._note_untyped([name for name, kind in wanted if kind is None])
        self._note_made(wanted, added=False)
        ending = self._dialect.made_of(self._connection)
        self._run(f"CREATE TABLE {quoted(self._name)} ({body}){ending}")

    def _add(self, relation: Relation, wanted: Wanted) -> bool:
        missing = [(name, kind) for name, kind in wanted if name.lower() not in relation.columns]
        self._note_untyped([name for name, kind in missing if kind is None])
        theirs = [(name, kind) for name, kind in missing if not is_reserved(name)]
        self._note_made(theirs, added=True)
        for name, kind in missing:
            added = f"{quoted(name)} {self._new_type(name, kind)}"
            self._run(f"ALTER TABLE {quoted(relation.name)} ADD COLUMN {added}")
        self.changes.added += [name for name, _ in theirs]
        return bool(missing)

    def _tell(self, relation: Relation, changes: dict[str, Kind]) -> None:
        """Note new types; a column without values had no type that could have been widened."""
        types = {name: self._dialect.types[kind] for name, kind in changes.items()}
        added_columns.retyped(self._connection, self._name, types)
        for name, kind in types.items():
            if name.lower() not in self._without_values:
                before = relation.columns[name.lower()].declared
                self.changes.widened[name] = f"{before} to {kind}"

    def _changes(self, relation: Relation, wanted: Wanted, *, retype: bool) -> dict[str, Kind]:
        """Return which columns must change into which kinds, by their real names.

        Raises:
            DestinationError: columns that a user made cannot hold the values.
        """
        untyped = self._untyped()
        changes: dict[str, Kind] = {}
        conflicts: list[tuple[Held, Kind]] = []
        typed = [(name.lower(), kind) for name, kind in wanted if kind is not None]
        for name, kind in typed:
            held = relation.columns.get(name)
            if held is None or kind is held.kind or kind in held.takes:
                continue
            if not retype and name not in untyped:
                continue
            if held.fixed:
                conflicts.append((held, kind))
                continue
            target = self._target(relation, held, kind, untyped=name in untyped)
            if target is not held.kind:
                changes[held.name] = target
        if conflicts:
            raise UnfitError(relation.name, conflicts)
        self._without_values = untyped
        return changes

    def _target(self, relation: Relation, held: Held, kind: Kind, *, untyped: bool) -> Kind:
        if untyped and not self._any(relation, held, column(held.name).is_not(None)):
            return self._dialect.stored(kind)
        present = held.kind
        if present is Kind.INT and kind is Kind.FLOAT:
            beyond = func.abs(column(held.name)) > EXACT_DOUBLE
            present = Kind.LONG if self._any(relation, held, beyond) else present
        joined = join(present, kind)
        return joined if joined is Kind.ANY else self._dialect.stored(joined)

    def _any(self, relation: Relation, held: Held, condition: ColumnElement[bool]) -> bool:
        of = table(quoted_name(relation.name, quote=True), column(held.name))
        found = self._connection.execute(select(1).select_from(of).where(condition).limit(1))
        return found.first() is not None

    def _make_distinct(self, relation: Relation, key: Sequence[str]) -> bool:
        if _is_distinct(relation, key):
            return False
        index = _index_name(relation.name, key, self._dialect.longest_name)
        try:
            self._dialect.make_distinct(self._connection, relation, key, index)
        except IntegrityError as error:
            raise DestinationError(
                f"The table {relation.name} holds several rows with the same {', '.join(key)}, "
                "so rows cannot be upserted by that key.",
                advice="Remove the duplicates, or choose another push.key.",
            ) from error
        return True

    def _type(self, kind: Kind | None) -> str:
        return self._dialect.types[Kind.TEXT if kind is None else self._dialect.stored(kind)]

    def _new_type(self, name: str, kind: Kind | None, key: Sequence[str] = ()) -> str:
        keys = len(key) if name in key else 0
        return self._dialect.column_type(self._connection, kind or Kind.TEXT, keys)

    def _note_made(self, columns: Wanted, *, added: bool) -> None:
        if self._stamp is not None:
            kinds = {name: self._type(kind) for name, kind in columns}
            place = (self._connection, self._dialect, self._stamp, self._name)
            added_columns.note(*place, kinds, added=added)

    def _run(self, statement: str) -> None:
        run(self._connection, statement)

    def _untyped(self) -> set[str]:
        query = select(tables.untyped.c.column_name).where(self._is_mine)
        return set(self._connection.execute(query).scalars())

    def _note_untyped(self, names: Sequence[str]) -> None:
        rows = [{"table_name": self._name.lower(), "column_name": name.lower()} for name in names]
        if rows:
            same = [tables.untyped.c.table_name, tables.untyped.c.column_name]
            self._connection.execute(self._dialect.upsert(tables.untyped, same), rows)

    def _forget_untyped(self, wanted: Wanted) -> None:
        """Forget those that have a type now."""
        names = self._without_values & {name.lower() for name, kind in wanted if kind is not None}
        if names:
            those = tables.untyped.c.column_name.in_(names)
            self._connection.execute(tables.untyped.delete().where(self._is_mine, those))

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return tables.untyped.c.table_name == self._name.lower()
