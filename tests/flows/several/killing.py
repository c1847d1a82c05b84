"""A run with several destinations, in a process of its own, that is killed at a named point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from astrio.blocks.literals import SHOW_SECRETS
from astrio.flows.integration import Integration

_CODE = """
import asyncio, os, pathlib, signal, sys
from astrio.flows.engine import run_without_prefect
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.destinations.several.member import Member

method, at = sys.argv[1], int(sys.argv[2])
pushing.CHUNK_ROWS = 10
seen = 0

def killed_after(call):
    def wrapped(*args, **kwargs):
        global seen
        result = call(*args, **kwargs)
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped

setattr(Member, method, killed_after(getattr(Member, method)))
text = pathlib.Path("plan.json").read_text()
asyncio.run(run_without_prefect(Integration.model_validate_json(text)))
"""


def run_killed(plan: Integration, folder: Path, method: str, at: int) -> bool:
    """Run the integration; kill it right after so many calls of a destination's method.

    Returns:
        Whether it was killed; False: it came to its end before.
    """
    text = plan.model_dump_json(by_alias=True, exclude_none=True, context={SHOW_SECRETS: True})
    (folder / "plan.json").write_text(text)
    path = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(
        [sys.executable, "-c", _CODE, method, str(at)],
        cwd=folder,
        env=path,
        check=False,
        timeout=100,
        capture_output=True,
        text=True,
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr
    return process.returncode != 0
