"""Runs in a process of their own that is killed at a named point, or after so many of them."""

from __future__ import annotations

import atexit
import json
import os
import random
import signal
import subprocess
import sys
from functools import cache

from astrio.flows.integration import Integration

POINTS = ("planned", "begun", "chunk", "spooled", "secured", "due", "shown", "settled")
# Importing takes longer than a run: one process has everything imported, and forks one for each.
_PROGRAM = """
import asyncio, json, os, signal, sys, traceback
import astrio.tasks.destinations.files.formats.parquet, astrio.tasks.destinations.files.s3
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.destinations.files.destination import FileDestination

begin = FileDestination.__init__
pushing.CHUNK_ROWS = 10

def run(document, point, times, environment):
    os.environ.update(environment)
    def passing(name):
        nonlocal times
        times -= name == point or point == "any"
        if times == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def killable(self, *given, **how):
        begin(self, *given, passing=passing, **how)
    FileDestination.__init__ = killable
    asyncio.run(run_without_prefect(Integration.model_validate(document)))

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            run(*json.loads(line))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def killed(plan: Integration, point: str, times: int = 1) -> bool:
    """Run the integration, and kill it when it comes to a point for the nth time.

    Returns:
        Whether it came there; else the run has completed.
    """
    document = plan.model_dump(mode="json", by_alias=True, context={"show_secrets": True})
    home = {"ASTRIO_HOME": os.environ["ASTRIO_HOME"]}
    process = _forking()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([document, point, times, home]) + "\n")
    process.stdin.flush()
    code = int(process.stdout.readline())
    assert code in (0, -signal.SIGKILL)
    return code != 0


def somewhere(chance: random.Random) -> tuple[str, int]:
    """Return a point at which a run is killed, and how often it has to come there."""
    point = chance.choice([*POINTS, "any", "any", "any"])
    return point, chance.randint(1, {"any": 12, "chunk": 5}.get(point, 1))


@cache
def _forking() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    return process
