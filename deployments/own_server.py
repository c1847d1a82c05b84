"""`python -m astrio.deployments.own_server`: Prefect's command, whose server waits for SQLite.

Prefect's transactions begin as readers. One that goes on to write after another has written is
refused by SQLite at once ("database is locked", however long its timeout): the server answers 503,
and the client that asked tries again after 2, 4, 8 seconds. Flow and task runs that begin side by
side meet in that way. Here every transaction begins as a writer, and waits its turn instead: some
milliseconds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prefect.cli import app
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_config
from prefect.settings import get_current_settings
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


class OneWriter(AioSqliteConfiguration):
    """A SQLite database whose transactions follow one another from their beginning."""

    @asynccontextmanager
    async def begin_transaction(
        self, session: AsyncSession, with_for_update: bool = False
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin one that may write; what is read meanwhile by other sessions waits for nobody."""
        if SQLITE_BEGIN_MODE.get() is not None:  # within another, which has the turn already
            async with super().begin_transaction(session, with_for_update) as transaction:
                yield transaction
            return
        async with super().begin_transaction(session) as transaction:
            await _take_turn(session)
            yield transaction


async def _take_turn(session: AsyncSession) -> None:
    token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
    try:
        await session.connection()
    finally:
        SQLITE_BEGIN_MODE.reset(token)


def main() -> None:
    """Carry out the command that `prefect` would, with the same words."""
    with temporary_database_config(_chosen()):
        app()


def _chosen() -> OneWriter | None:
    setting = get_current_settings().server.database.connection_url
    url = setting.get_secret_value() if setting else "postgresql://"
    return OneWriter(url) if make_url(url).get_backend_name() == "sqlite" else None


if __name__ == "__main__":
    main()
