"""Measuring whole programs: wall seconds, CPU seconds of client and database, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text
from tests.support.postgres import PostgresServer, postgres_server

# A process counts the memory of the one that started it as its own, until it is replaced: so a
# small one starts what is measured.
LAUNCHER = """
import json, os, subprocess, sys, time
began = time.perf_counter()
_, status, usage = os.wait4(subprocess.Popen(sys.argv[1:], stdout=2).pid, 0)
cost = [time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
print(json.dumps([os.waitstatus_to_exitcode(status), *cost]))
"""


@dataclass(frozen=True)
class Cost:
    """What one program took: seconds, and MB."""

    wall: float
    client: float
    server: float
    peak: float

    @property
    def cpu(self) -> float:
        """CPU seconds of the client and of the database's server."""
        return self.client + self.server


@dataclass(frozen=True)
class Place:
    """A database to load into, and its server if it has one."""

    url: str
    server: PostgresServer | None = None

    def cpu(self) -> float:
        """Return the CPU seconds that the server has used so far."""
        return 0.0 if self.server is None else cpu_of_tree(self.server.pid())

    def require_equal(self, tables: Sequence[str], columns: str, key: str) -> None:
        """Compare the tables with the first one, row by row."""
        url = make_url(self.url)
        driver = "sqlite" if self.server is None else "postgresql+psycopg"
        with create_engine(url.set(drivername=driver)).connect() as connection:

            def rows(table: str) -> Iterator[Any]:
                query = text(f"SELECT {columns} FROM {table} ORDER BY {key}")
                return iter(connection.execution_options(stream_results=True).execute(query))

            for table in tables[1:]:
                for one, other in zip(rows(tables[0]), rows(table), strict=True):
                    assert tuple(one) == tuple(other), f"{table} differs: {one} and {other}"


def cpu_of_tree(pid: int) -> float:
    """Return the CPU seconds of a process and all its children, ended ones too (proc(5))."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        own = int(name.partition(" ")[0])
        if own == pid:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(words: Sequence[str], place: Place) -> Cost:
    """Run `python WORDS…` once, to its end."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
    command = [sys.executable, "-IS", "-c", LAUNCHER, sys.executable, *words]
    before = place.cpu()
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    code, wall, client, peak = json.loads(ended.stdout)
    assert code == 0, ended.stderr
    return Cost(wall, client, place.cpu() - before, peak)


@contextmanager
def opened(database: str) -> Iterator[Place]:
    """Make an empty database."""
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield Place(f"sqlite:///{folder}/bench.db")
        return
    with postgres_server({"max_wal_size": "8GB"}) as server:
        yield Place(server.create_database(), server)


@contextmanager
def prefect_up() -> Iterator[None]:
    """Run a Prefect server of its own; starting one is not what is measured."""
    from astrio.deployments.server import prefect_server

    with tempfile.TemporaryDirectory() as home:
        os.environ["ASTRIO_HOME"] = home
        with prefect_server(lambda _: None) as url:
            os.environ["PREFECT_API_URL"] = url
            yield
