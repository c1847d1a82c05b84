"""Runs in a process of their own that is killed at a named point, or after so many of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping

from astrio.flows.integration import Integration

POINTS = ("planned", "begun", "chunk", "spooled", "secured", "due", "shown", "settled")
_PROGRAM = """
import asyncio, json, os, signal, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.destinations.files.destination import FileDestination
document, point, times = json.loads(sys.argv[1])
pushing.CHUNK_ROWS = 10
begin = FileDestination.__init__
def passing(name):
    global times
    times -= name == point or point == "any"
    if times == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def killable(self, *given, **how):
    begin(self, *given, passing=passing, **how)
FileDestination.__init__ = killable
asyncio.run(run_without_prefect(Integration.model_validate(document)))
"""


def killed(
    plan: Integration, point: str, times: int = 1, environment: Mapping[str, str] | None = None
) -> bool:
    """Run the integration, and kill it when it comes to a point for the nth time.

    Returns:
        Whether it came there; else the run has completed.
    """
    document = plan.model_dump(mode="json", by_alias=True, context={"show_secrets": True})
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps([document, point, times])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0
