"""A real MariaDB server in a temporary folder, and a database for each test.

    def test_something(mysql_url: str) -> None:    # an empty database of the test's own
        ...

    with mariadb_server() as server:                # outside pytest: benchmarks, scripts
        url = server.create_database()

It needs `mariadbd` on the PATH (Debian: apt-get install mariadb-server), listens on a free port of
127.0.0.1, and asks for a password.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.postgres import CannotStartError, _free_port

PASSWORD: Final = "s3cret-mariadb-password"
USER: Final = "astrio"
START_SECONDS: Final = 60
# Tests need no data that survives a power failure; a killed server keeps it anyway.
QUICK: Final = {"innodb-flush-log-at-trx-commit": "0", "innodb-buffer-pool-size": "64M"}


@dataclass
class MariadbServer:
    """A server with its own data folder; `settings` are options of mariadbd."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _numbers: Iterator[int] = field(default_factory=count)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the data folder if it is new, start the server and wait until it answers."""
        if not (self.folder / "data").exists():
            self._install()
        self.port = self.port or _free_port()
        options = {
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            "socket": str(self.folder / "socket"),
            "pid-file": str(self.folder / "pid"),
            "lc-messages-dir": "/usr/share/mysql",
            **self.settings,
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program("mariadbd"), "--no-defaults", *self._where, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait()

    def stop(self, how: int = signal.SIGKILL) -> None:
        """Stop it; SIGKILL is what a crash looks like."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def restart(self, how: int = signal.SIGKILL) -> None:
        """Stop and start it."""
        self.stop(how)
        self.start()

    def url(self, database: str = "mysql", **query: str) -> str:
        """Return a database's URL with its password."""
        options = "&".join(f"{name}={value}" for name, value in query.items())
        where = f"mysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"
        return f"{where}?{options}" if options else where

    def create_database(self, *clauses: str) -> str:
        """Create an empty database and return its URL; `clauses` as in CREATE DATABASE."""
        name = f"db{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {' '.join(clauses)}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        left = self.rows("SELECT id FROM information_schema.processlist WHERE db = %s", name)
        for (number,) in left:
            try:
                self.execute(f"KILL {int(number)}")
            except OSError:
                continue
        self.execute(f"DROP DATABASE IF EXISTS {name}")

    def execute(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        for statement in statements:
            self.rows(statement)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        import pymysql

        where = {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD}
        connection = pymysql.connect(**where, autocommit=True)  # type: ignore[call-overload] # its types name no ** mapping
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall())
        finally:
            connection.close()

    @property
    def _where(self) -> list[str]:
        user = [] if os.geteuid() else ["--user=root"]
        return [f"--datadir={self.folder / 'data'}", *user]

    def _install(self) -> None:
        how = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        ended = subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", *self._where, *how],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise CannotStartError(f"mariadb-install-db failed: {ended.stderr.strip()}")
        (self.folder / "first.sql").write_text(
            f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' "
            "WITH GRANT OPTION;\n"
        )
        self.settings.setdefault("init-file", str(self.folder / "first.sql"))

    def _wait(self) -> None:
        import pymysql

        until = time.monotonic() + START_SECONDS
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise CannotStartError(f"mariadbd ended: {self._log()}")
            try:
                self.rows("SELECT 1")
            except pymysql.MySQLError as error:
                if time.monotonic() > until:
                    raise CannotStartError(f"mariadbd does not answer: {error}") from error
                time.sleep(0.05)
            else:
                return

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-500:]


@contextmanager
def mariadb_server(settings: dict[str, str] | None = None) -> Iterator[MariadbServer]:
    """Run a server until the block ends.

    Raises:
        CannotStartError: there is none on the PATH, or it does not start here.
    """
    with tempfile.TemporaryDirectory(prefix="astrio-my-") as folder:
        server = MariadbServer(Path(folder), dict(settings or {}))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """The session's server; tests that need it are skipped where it cannot be started."""
    try:
        with mariadb_server(QUICK) as server:
            yield server
    except CannotStartError as error:
        pytest.skip(f"no MariaDB server: {error}")


@pytest.fixture
def mysql_url(mariadb: MariadbServer) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    url = mariadb.create_database()
    yield url
    mariadb.drop_database(url)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotStartError(f"{name} is not on the PATH (apt-get install mariadb-server)")
    return found
