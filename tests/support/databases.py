"""The SQL databases that tests run on, and one of the test's own in each.

    @pytest.mark.parametrize("database", DATABASES)
    def test_something(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        url = url_of(database, request, tmp_path)

To add one: its name, what makes a URL of it, and SQLAlchemy's name of a driver if that differs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

DATABASES: Final = ["sqlite", "postgresql", "duckdb", "mysql"]
FILES: Final = {
    "sqlite": "sqlite:///{folder}/items.db?timeout=30",
    "duckdb": "duckdb:///{folder}/items.duckdb",
}
SERVERS: Final = {"postgresql": "postgres_url", "mysql": "mysql_url"}
DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "duckdb": "duckdb+astrio",
    "mysql": "mysql+pymysql",
}
# Tests write names in double quotes, as SQL does.
OPTIONS: Final[dict[str, dict[str, Any]]] = {"mysql": {"sql_mode": "ANSI_QUOTES"}}


def url_of(database: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of an empty database of the test's own; a file's is in `folder`."""
    if database in FILES:
        return FILES[database].format(folder=folder)
    url: str = request.getfixturevalue(SERVERS[database])
    return url


def engine_of(url: str, **how: Any) -> Engine:
    """Return an engine that looks at a database from outside."""
    found = driven(url)
    options = OPTIONS.get(found.get_backend_name(), {})
    return create_engine(found, connect_args=options, **how)


def driven(url: str) -> URL:
    """Return the URL as SQLAlchemy takes it."""
    found = make_url(url)
    if found.get_backend_name() == "duckdb":
        import astrio.tasks.destinations.sql.duckdb_alchemy  # noqa: F401 (it registers itself)
    return found.set(drivername=DRIVERS.get(found.drivername, found.drivername))


def unpooled(url: str) -> Engine:
    """Return an engine that keeps no connection open."""
    return engine_of(url, poolclass=NullPool)
