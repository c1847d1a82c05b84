"""The tables in which a SQL destination carries astrio's own state.

Times are ISO 8601 text in UTC and documents are JSON text, so that every database compares and
returns them alike. A later version may only add tables and nullable columns.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    inspect,
    select,
)
from sqlalchemy import Dialect as Backend
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeEngine

from astrio.blocks.errors import DestinationError
from astrio.tasks.destinations.sql.dialect import Dialect

VERSION: Final = 5
_KEY: Final = 380  # characters: an index takes two of such texts
metadata = MetaData()


def exact_collation(backend: Backend) -> str:
    """Return the collation that compares texts by their bytes, trailing blanks included."""
    mariadb = getattr(backend, "is_mariadb", False)
    return "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"


class _Words(TypeDecorator[str]):
    """A text; where an index takes no text without a length, one of so many characters."""

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Backend) -> TypeEngine[Any]:
        if dialect.name != "mysql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects import mysql  # the others do without it

        how = {"charset": "utf8mb4", "collation": exact_collation(dialect)}
        if self.length:
            return dialect.type_descriptor(mysql.VARCHAR(self.length, **how))
        return dialect.type_descriptor(mysql.LONGTEXT(**how))


def _text(
    name: str, *, null: bool = True, key: bool = False, length: int | None = None
) -> Column[str]:
    words = _Words(length or (_KEY if key else None))
    return Column(name, words, nullable=null and not key, primary_key=key)


version = Table("_astrio_version", metadata, Column("version", Integer, nullable=False))

checkpoint = Table(
    "_astrio_checkpoint",
    metadata,
    _text("stream", key=True),
    _text("integration", null=False),
    _text("watermark"),
    _text("ties"),
    _text("resume"),
    _text("run_id"),
    _text("updated_at", null=False),
)

partition = Table(
    "_astrio_partition",
    metadata,
    _text("stream", key=True),
    _text("partition", key=True),
    _text("watermark", null=False),
    _text("updated_at", null=False),
    comment="How far parts of a source are read, such as the children of one parent.",
)

run = Table(
    "_astrio_run",
    metadata,
    _text("run_id", key=True),
    _text("stream", null=False),
    _text("integration", null=False),
    _text("started_at", null=False),
    _text("finished_at"),
    _text("state", null=False),
    _text("report"),
)

lease = Table(
    "_astrio_lease",
    metadata,
    _text("stream", key=True),
    _text("holder"),
    _text("host"),
    Column("pid", Integer),
    _text("machine"),
    _text("process_start"),
    _text("acquired_at"),
    _text("expires_at"),
    _text("run_id"),
)

quarantine = Table(
    "_astrio_quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("stream", null=False, length=_KEY),
    _text("integration", null=False),
    _text("identity", null=False),
    _text("key"),
    _text("content_hash", null=False),
    _text("field"),
    _text("rule", null=False),
    _text("reason", null=False),
    _text("problems", null=False),
    _text("record", null=False),
    _text("run", null=False),
    _text("first_seen", null=False),
    _text("last_seen", null=False),
    Column("seen", Integer, nullable=False),
    _text("state", null=False),
    _text("mapping"),
    _text("started"),
    _text("closed_at", length=40),
    _text("note"),
    sqlite_autoincrement=True,
)
is_open = quarantine.c.state == "open"
_is_closed = quarantine.c.closed_at.is_not(None)


def _has_partial_indexes(*_: Any, dialect: Backend, **__: Any) -> bool:
    return dialect.name in ("sqlite", "postgresql")


def _may_index(*_: Any, dialect: Backend, **__: Any) -> bool:
    return dialect.name != "duckdb"


Index(
    "_astrio_quarantine_open",
    quarantine.c.stream,
    quarantine.c.identity,
    unique=True,
    sqlite_where=is_open,
    postgresql_where=is_open,
).ddl_if(callable_=_has_partial_indexes)

Index(
    "_astrio_quarantine_closed",
    quarantine.c.stream,
    quarantine.c.closed_at,
    sqlite_where=_is_closed,
    postgresql_where=_is_closed,
).ddl_if(callable_=_may_index)

untyped = Table(
    "_astrio_untyped",
    metadata,
    _text("table_name", key=True),
    _text("column_name", key=True),
    comment="Columns created before any value was seen; the first value decides their type.",
)


profile = Table(
    "_astrio_profile",
    metadata,
    _text("stream", key=True),
    _text("profile", null=False),
    _text("updated_at", null=False),
    comment="What the fields of a stream's earlier runs were like, to tell when they change.",
)

made_column = Table(
    "_astrio_column",
    metadata,
    _text("table_name", key=True),
    _text("column_name", key=True),
    _text("kind", null=False),
    _text("stream", null=False),
    _text("run_id", null=False),
    _text("added_at", null=False),
    _text("not_before"),
    comment="Columns that astrio has made; those with not_before are null in older rows.",
)

pages = Table(
    "_astrio_pages",
    metadata,
    _text("stream", key=True),
    _text("part", key=True),
    _text("content", null=False),
    _text("updated_at", null=False),
    comment="The pages that stand in a table as they were read last (push.unchanged: skip).",
)


def are_ready(connection: Connection) -> bool:
    """Whether the state tables stand as this version needs them.

    Raises:
        DestinationError: a newer version of astrio has changed them.
    """
    if not inspect(connection).has_table(version.name):
        return False
    found = connection.execute(select(version.c.version)).scalar()
    if found is not None and found > VERSION:
        raise DestinationError(
            f"The state tables were written by a newer astrio (version {found} of the tables; "
            f"this one knows {VERSION}).",
            advice="Upgrade astrio.",
        )
    return found == VERSION


def are_older(connection: Connection) -> bool:
    """Whether the state tables were written by an older version, and lack something."""
    if not inspect(connection).has_table(version.name):
        return False
    found = connection.execute(select(version.c.version)).scalar()
    return found is not None and found < VERSION


def prepare(connection: Connection, dialect: Dialect) -> None:
    """Create the state tables, or add what older ones lack, within the caller's transaction."""
    if are_ready(connection):
        return
    with dialect.alone(connection):
        if not are_ready(connection):  # otherwise another run was quicker
            _make(connection, dialect)


def _make(connection: Connection, dialect: Dialect) -> None:
    if connection.dialect.name == "mysql":
        for table in metadata.tables.values():
            table.dialect_kwargs["mysql_engine"] = "InnoDB"
            table.dialect_kwargs["mysql_charset"] = "utf8mb4"
    metadata.create_all(connection)
    inspector = inspect(connection)
    for table in metadata.tables.values():
        present = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                clause = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {clause}")
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    dialect.complete(connection)
    closed = quarantine.c.state != "open"
    undated = quarantine.update().where(closed, quarantine.c.closed_at.is_(None))
    connection.execute(undated.values(closed_at=quarantine.c.last_seen))
    connection.execute(version.delete())
    connection.execute(version.insert().values(version=VERSION))
