"""Bringing the ledger's tables to the version this astrio needs."""

from __future__ import annotations

from sqlalchemy import Connection, Text, column, inspect, select, table

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.ledger import migrations
from astrio.tasks.ledger.tables import REVISION, VERSION_TABLE


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of the ledger's tables, None if there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
    return connection.execute(query).scalar()


def migrate(connection: Connection) -> None:
    """Run the missing migrations within the caller's write transaction.

    Raises:
        ConfigurationError: a newer version of astrio has changed the ledger.
    """
    if stored_revision(connection) == REVISION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.attributes["connection"] = connection
    # A percent sign would begin an interpolation of the configuration file's format.
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            "The ledger was written by a newer astrio.", advice="Upgrade astrio."
        ) from error
