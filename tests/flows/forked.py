"""The command `run` in processes of their own, forked from one that has imported it already.

Importing Prefect takes longer than the run itself, where a test kills a hundred of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

_SERVER: Final = """
import importlib, json, os, random, sys, threading
os.environ |= {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
from astrio.deployments.running import quieten_prefect
quieten_prefect()
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
from astrio.deployments.cli import main
assert threading.active_count() == 1
told = os.fdopen(os.dup(1), "w", buffering=1)
told.write("ready\\n")

def begin(words, before, out, err):
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    random.seed()
    sys.argv = ["astrio", *words]
    exec(before, {})
    main()
    sys.exit()

for line in sys.stdin:
    what, *given = json.loads(line)
    if what == "begin":
        process = os.fork()
        if not process:
            begin(*given)
        answer = process
    else:
        process, status = os.waitpid(given[0], os.WNOHANG if what == "poll" else 0)
        answer = os.waitstatus_to_exitcode(status) if process else None
    told.write(json.dumps(answer) + "\\n")
"""
_MODULES: Final = [
    "astrio.deployments.cli.run",
    "astrio.flows.sync",
    "astrio.tasks.destinations.sql.destination",
]


@dataclass
class Forked:
    """A command at work, or that was.

    Attributes:
        pid: its process.
        returncode: None until it is known to have ended; below 0: the signal that killed it.
    """

    _server: Forking
    pid: int
    _out: Path
    _err: Path
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, None while it is at work."""
        if self.returncode is None:
            self.returncode = self._server.asked("poll", self.pid)
        return self.returncode

    def kill(self, signal: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, signal)

    def communicate(self) -> tuple[str, str]:
        """Wait for its end, and return what it has written to standard output and error."""
        if self.returncode is None:
            self.returncode = self._server.asked("wait", self.pid)
        return self._out.read_text(), self._err.read_text()


class Forking:
    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._numbers = count()

    def asked(self, *words: object) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def begin(self, *words: str, before: str = "") -> Forked:
        """Begin `astrio` with these words; `before` is code that its process runs first."""
        number = next(self._numbers)
        out, err = (self._folder / f"{number}.{end}" for end in ("out", "err"))
        for file in (out, err):  # it may be killed before it makes them
            file.touch()
        pid = self.asked("begin", words, before, str(out), str(err))
        assert pid is not None
        return Forked(self, pid, out, err)


@contextmanager
def server(code: str, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start Python with code that prints `ready`, then forks on demand; end it at the end.

    Args:
        code: reads one request a line, and answers each with one.
        words: its arguments.
        environment: variables for it, and for what it forks.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.communicate()


@contextmanager
def forking(dialect: str, folder: Path, **environment: str) -> Iterator[Forking]:
    """Have a process ready that forks commands; their output is kept in the folder.

    Args:
        dialect: of the destination.
        folder: where output goes.
        environment: variables for the commands.
    """
    modules = [*_MODULES, f"astrio.tasks.destinations.sql.dialects.{dialect}"]
    with server(_SERVER, json.dumps(modules), **environment) as process:
        yield Forking(process, folder)
