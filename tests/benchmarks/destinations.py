"""Every kind of destination, opened for one benchmark: what `push` says, and what is done with it.

Each is a context manager that yields a `Where`; `DESTINATIONS` holds them by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.programs import RUN_ENGINE
from tests.support.mariadb import mariadb_server
from tests.support.postgres import postgres_server
from tests.support.s3 import KEYS, client_of

KEYED = {"mode": "upsert", "key": ["id"]}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STORE = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("http://%s:%s" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Where:
    """Where records go.

    Attributes:
        push: as a file has it.
        after: words for Python, for what is run when the records have been pushed.
        environment: variables of both programs.
    """

    push: Any
    after: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)


Opened = Callable[[Path], AbstractContextManager[Where]]
DELIVERING = """
import asyncio
from tests.benchmarks.deliveries import deliver, left
asyncio.run(deliver(left()))
"""


def table(url: str, mode: str = "upsert") -> dict[str, Any]:
    """Return a push to a table."""
    keyed = {"mode": mode} if mode == "append" else {"mode": mode, "key": ["id"]}
    return {"to": {"url": url}, "table": "bench", **keyed}


@contextmanager
def embedded(folder: Path, *, scheme: str, mode: str, options: str = "") -> Iterator[Where]:
    """Yield a database in a file."""
    yield Where(table(f"{scheme}:///{folder}/bench.{scheme}{options}", mode))


@contextmanager
def postgresql(_: Path, *, mode: str) -> Iterator[Where]:
    """Yield a database of PostgreSQL."""
    with postgres_server({"max_wal_size": "8GB"}) as server:
        yield Where(table(server.create_database(), mode))


@contextmanager
def mysql(_: Path, *, mode: str) -> Iterator[Where]:
    """Yield a database of MariaDB."""
    with mariadb_server({"innodb-flush-log-at-trx-commit": "0"}) as server:
        yield Where(table(server.create_database(), mode))


@contextmanager
def file(folder: Path, *, ending: str) -> Iterator[Where]:
    """Yield a file."""
    yield Where({"to": {"file": f"{folder}/bench.{ending}"}})


@contextmanager
def s3(_: Path, *, ending: str) -> Iterator[Where]:
    """Yield an object in a bucket of moto's."""
    with fed("-c", STORE) as [url]:
        client_of(url).create_bucket(Bucket="bench")
        to = {"bucket": "bench", "key": f"bench.{ending}", "endpoint_url": url, **KEYS}
        yield Where({"to": {"s3": to}})


@contextmanager
def api(_: Path) -> Iterator[Where]:
    """Yield an API that takes 500 records with each request."""
    with fed("-m", "tests.benchmarks.receiver", lines=2) as [url, *_dead]:
        to = {
            "api": {"base_url": url},
            "request": {"method": "POST", "path": "/records", "idempotency_key": True},
            "batch": {"size": 500},
        }
        yield Where({"to": to, **KEYED})


@contextmanager
def webhook(_: Path) -> Iterator[Where]:
    """Yield a webhook target; its deliveries are sent by a process of their own."""
    with fed("-m", "tests.benchmarks.receiver", lines=2) as [url, *_dead]:
        host = url.removeprefix("http://")
        to = {"webhook": url, "secret": "${env:HOOK_SECRET}", "allow_private_hosts": [host]}
        yield Where({"to": to}, ["-c", DELIVERING], {"HOOK_SECRET": SECRET})


@contextmanager
def python(_: Path) -> Iterator[Where]:
    """Yield a function that takes all records and does nothing."""
    yield Where({"to": {"python": "tests.benchmarks.destinations:take"}, "key": ["id"]})


def take(records: list[dict[str, Any]]) -> None:
    """Take records."""


@contextmanager
def integration(folder: Path) -> Iterator[Where]:
    """Yield another integration, which takes the records into a table when it runs."""
    taker = {
        "name": "taker",
        "source": {"event": "bench"},
        "map": {name: name for name in ("id", "status", "name", "mail")},
        "push": table(f"sqlite:///{folder}/bench.db"),
    }
    (folder / "taker.json").write_text(json.dumps(taker))
    yield Where({"to": {"integration": "taker"}}, ["-c", RUN_ENGINE, f"{folder}/taker.json"])


@contextmanager
def two(folder: Path) -> Iterator[Where]:
    """Yield two destinations at once: a table and a file."""
    to_file = {"to": {"file": f"{folder}/{{{{run_id}}}}.jsonl"}}
    yield Where([table(f"sqlite:///{folder}/bench.db"), to_file])


@contextmanager
def fed(*words: str, lines: int = 1) -> Iterator[list[str]]:
    """Run `python WORDS…` until the block ends, and yield the first lines that it prints."""
    with subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        yield [other.stdout.readline().strip() for _ in range(lines)]
        other.stdin.close()


MODES = ("upsert", "append", "replace")
DATABASES: dict[str, Callable[..., AbstractContextManager[Where]]] = {
    "sqlite": partial(embedded, scheme="sqlite"),
    "postgresql": postgresql,
    "mysql": mysql,
    "duckdb": partial(embedded, scheme="duckdb"),
    "duckdb-limited": partial(embedded, scheme="duckdb", options="?memory_limit=128MB"),
}
ENDINGS = ("jsonl", "csv", "parquet", "jsonl.gz")
DESTINATIONS: dict[str, Opened] = {
    **{f"{name} {m}": partial(to, mode=m) for name, to in DATABASES.items() for m in MODES},
    **{f"file {ending}": partial(file, ending=ending) for ending in ENDINGS},
    **{f"s3 {ending}": partial(s3, ending=ending) for ending in ENDINGS[:3]},
    "python": python,
    "two": two,
    "integration": integration,
    "api": api,
    "webhook": webhook,
}
