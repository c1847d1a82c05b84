"""Killing a run at a named point: before or after a method is called for the nth time."""

from __future__ import annotations

import signal
import subprocess
import sys

from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.integration import Integration

SQL = "astrio.tasks.destinations.sql"
_CODE = """
import asyncio, os, signal, sys
from pkgutil import resolve_name
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing

pushing.CHUNK_ROWS = 10
owner, name, place, number, plan = sys.argv[1:]
owner, calls = resolve_name(owner), []
then = getattr(owner, name)

def killed(self, *args, **how):
    calls.append(name)
    now = len(calls) == int(number)
    if now and place == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = then(self, *args, **how)
    if now:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, name, killed)
asyncio.run(run_without_prefect(Integration.model_validate_json(plan)))
"""


def kill(plan: Integration, point: str, place: str, number: int = 1) -> None:
    """Run the integration in a process of its own, with chunks of 10 rows, and kill it.

    Args:
        plan: the integration.
        point: `module:Class.method`, below the package of SQL destinations.
        place: `before` or `after` the call.
        number: which of the calls, the first is 1.
    """
    owner, _, name = point.rpartition(".")
    document = plan.model_dump_json(by_alias=True, context={SHOW_SECRETS: True})
    process = subprocess.run(
        [sys.executable, "-c", _CODE, f"{SQL}.{owner}", name, place, str(number), document],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
