"""How a writer of `mode: history` makes versions of rows, and where the table stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from astrio.blocks.errors import DestinationError
from astrio.tasks.columns import RESERVED, column_name
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql import moment
from astrio.tasks.destinations.sql.bulk import encoded
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation, Target, quoted, run
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.values import take
from astrio.tasks.destinations.sql.versions import Versions
from astrio.tasks.destinations.vanishing import VALID_FROM, VALID_TO


class History:
    """The versions of one table."""

    def __init__(self, dialect: Dialect, push: PushSettings) -> None:
        """Take the settings."""
        self._dialect = dialect
        self._push = push
        self._indexed = False

    def refuse(self, fields: Sequence[str]) -> None:
        """Refuse fields whose columns are the history's own.

        Raises:
            DestinationError: there is one.
        """
        for field in fields:
            if column_name(field).lower() in (VALID_FROM, VALID_TO):
                raise DestinationError(
                    f"The field {field!r} cannot become a column: with `mode: history`, "
                    f"{VALID_FROM} and {VALID_TO} tell when a version was valid.",
                    advice="Give it another name in `map`.",
                )

    def fit(self, connection: Connection, relation: Relation, key: Sequence[str]) -> None:
        """Let the table have one open version of each key, where the database can see to it.

        Raises:
            DestinationError: the table has room for one version of each row only.
        """
        names = {name.lower() for name in key}
        if any(columns and columns <= names for columns in relation.unique):
            raise DestinationError(
                f"The table {relation.name} keeps {', '.join(key)} distinct, so that it has no "
                "room for several versions of a row.",
                advice="Name another table in push.table, or drop that key of the table.",
            )
        if self._dialect.partial_indexes and not self._indexed:
            name = f"{RESERVED}current_{digest(relation.name)}"
            columns = ", ".join(map(quoted, key))
            run(
                connection,
                f"CREATE UNIQUE INDEX IF NOT EXISTS {quoted(name)} ON {quoted(relation.name)} "
                f"({columns}) WHERE {quoted(relation.columns[VALID_TO].name)} IS NULL",
            )
            self._indexed = True
        elif not self._indexed:
            name = f"{RESERVED}current_{digest(relation.name)}"
            self._dialect.index_key(connection, relation, key, name)
            self._indexed = True

    def versions(
        self, connection: Connection, relation: Relation, target: Target, held: Sequence[Held]
    ) -> Versions:
        """Return what lets rows meet the table: those of `target`, and `valid_from` after them."""
        since, until = relation.columns[VALID_FROM], relation.columns[VALID_TO]
        own = Target(
            target.table,
            (*target.columns, since.name),
            target.key,
            (*target.declared, since.declared),
            target.version,
        )
        found = Versions(self._dialect, own, [*held, since], until.name)
        found.prepare(connection)
        return found

    def dated(
        self, stamp: Stamp, rows: Rows, values: Sequence[tuple[Any, ...]], since: Held
    ) -> list[tuple[Any, ...]]:
        """Return the rows' values, each with the time since which it is valid."""
        started = begun(stamp)
        times: list[datetime] = [started] * len(values)
        version = self._push.version
        if version in rows.fields:
            place = rows.fields.index(version)
            times = [time_of(row[place]) or started for row in rows.rows]
        column = take(times, self._dialect.native, nan=self._dialect.nan)
        fitted = encoded([(each,) for each in times], [column], [since])
        return [row + at for row, at in zip(values, fitted, strict=True)]


def begun(stamp: Stamp) -> datetime:
    """Return when the run began: the time at which all its changes take effect."""
    return moment.read(stamp.started or stamp.at)


def time_of(version: Any) -> datetime | None:
    """Return the time that a version is, in UTC; None if it is another value, such as a number."""
    if isinstance(version, str) and "-" in version:
        try:
            version = datetime.fromisoformat(version)
        except ValueError:
            return None
    if isinstance(version, datetime):
        return version.replace(tzinfo=version.tzinfo or UTC).astimezone(UTC)
    if isinstance(version, date):
        return datetime(version.year, version.month, version.day, tzinfo=UTC)
    return None
