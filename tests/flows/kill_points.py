"""Runs that are killed with -9 at a named point, each in a process of its own.

One process imports astrio, and forks for each run: `Killer.run` returns whether that one was
killed, which it is when it has come to the point for the given time.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.flows.forked import server

from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.integration import Integration
from astrio.tasks.options import PartOptions

SQL: Final = "astrio.tasks.destinations.sql"
# Each name says where the process is when it is killed; then come the owner of a function, its
# name, and whether the process is killed before or after it.
POINTS: Final = {
    "the lease is taken and not committed": (f"{SQL}.lease:Lease", "take", "after"),
    "the slice has begun": (f"{SQL}.destination:SqlDestination", "begin_slice", "after"),
    "a chunk begins": (f"{SQL}.destination:SqlDestination", "commit", "before"),
    "rows are about to be written": (f"{SQL}.bulk:Bulk", "write", "before"),
    "rows are written": (f"{SQL}.bulk:Bulk", "write", "after"),
    "rejects are in the quarantine": (f"{SQL}.quarantine", "add", "after"),
    "the resume point is stored": (f"{SQL}.checkpoint", "save", "after"),
    "the lease is extended": (f"{SQL}.lease:Lease", "extend", "after"),
    "a commit is due": ("sqlalchemy.engine.base:RootTransaction", "_do_commit", "before"),
    "a commit is done": ("sqlalchemy.engine.base:RootTransaction", "_do_commit", "after"),
    "a chunk is committed": (f"{SQL}.destination:SqlDestination", "commit", "after"),
    "the slice is about to end": (f"{SQL}.destination:SqlDestination", "finish", "before"),
    "the report is stored": (f"{SQL}.checkpoint", "end_run", "after"),
    "the slice has ended": (f"{SQL}.destination:SqlDestination", "finish", "after"),
    "the lease is to be given back": (f"{SQL}.lease:Lease", "release", "before"),
    "the lease is given back": (f"{SQL}.destination:SqlDestination", "close", "after"),
}
_MEMBER: Final = "astrio.tasks.destinations.several.member:Member"
OF_SEVERAL: Final = {
    "one of several has committed a chunk": (_MEMBER, "commit", "after"),
    "one of several has ended the slice": (_MEMBER, "finish", "after"),
}
_SERVER: Final = """
import asyncio, importlib, json, os, signal, sys
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.parting import PartRun
from astrio.flows.planning import Run
from astrio.tasks import pushing
from astrio.tasks.options import PartOptions, RunOptions
from astrio.tasks.destinations.sql.destination import SqlDestination
for dialect in sys.argv[1:]:
    importlib.import_module(f"astrio.tasks.destinations.sql.dialects.{dialect}")

def killed_at(owner, name, when, nth):
    place, _, inner = owner.partition(":")
    place = importlib.import_module(place)
    place = getattr(place, inner) if inner else place
    original, calls = getattr(place, name), []
    def call(*given, **named):
        calls.append(1)
        if len(calls) == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*given, **named)
        if len(calls) == nth and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(place, name, call)

def run(document, options, point, nth, rows):
    pushing.CHUNK_ROWS = rows
    killed_at(*point, nth)
    plan = Integration.model_validate(document)
    if options is None:
        made = Run(plan, RunOptions(wait=True))
    else:
        made = PartRun(plan, PartOptions.model_validate(options))
    asyncio.run(engine(made))

print("ready", flush=True)
for line in sys.stdin:
    process = os.fork()
    if not process:
        try:
            run(*json.loads(line))
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)
"""


class Killer:
    """Starts runs that are to be killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        plan: Integration,
        point: str,
        nth: int,
        *,
        rows: int,
        options: PartOptions | None = None,
    ) -> bool:
        """Run the integration, or a part of it; tell whether it came to the point, and died."""
        document = plan.model_dump(
            mode="json", by_alias=True, exclude_none=True, context={SHOW_SECRETS: True}
        )
        part = None if options is None else options.model_dump(mode="json")
        words: list[Any] = [document, part, (POINTS | OF_SEVERAL)[point], nth, rows]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()) == signal.SIGKILL


@contextmanager
def killing(dialect: str) -> Iterator[Killer]:
    """Have a process ready that forks runs into a database of that dialect."""
    with server(_SERVER, dialect) as process:
        yield Killer(process)
