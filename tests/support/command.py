"""The command line in a process of its own, as users start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What is started in the background of a shell ignores Ctrl-C, and so would these commands.
LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
ASTRIO = [sys.executable, "-c", f"{LISTEN}; from astrio.deployments.cli import main; main()"]
PATIENCE = 300


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code and both of its outputs."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Return the one JSON object that standard output holds."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def begin(
    *words: str, folder: Path, environment: Mapping[str, str | None] | None = None
) -> subprocess.Popen[str]:
    """Start `astrio WORDS…` in a folder; a variable given as None is taken away."""
    variables: dict[str, str | None] = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "ASTRIO_HOME": str(folder / "astrio-home"),
        **(environment or {}),
    }
    return subprocess.Popen(
        [*ASTRIO, *words],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], patience: float = PATIENCE) -> Ended:
    """Wait for a command's end, and read meanwhile what it tells."""
    out, err = process.communicate(timeout=patience)
    return Ended(process.returncode, out, err)


def astrio(*words: str, folder: Path, environment: Mapping[str, str | None] | None = None) -> Ended:
    """Run a command to its end."""
    return ended(begin(*words, folder=folder, environment=environment))


def eventually(true: Callable[[], bool], patience: float = 30) -> bool:
    """Wait until something becomes true; tell whether it did."""
    ends = time.monotonic() + patience
    while not true() and time.monotonic() < ends:
        time.sleep(0.02)
    return true()
