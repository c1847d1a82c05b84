"""What can be told of another process of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from astrio.tasks.destinations.sql.process import began, command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")


@pytest.fixture
def astrio(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that looks like a run of astrio, with a secret among its arguments."""
    script = tmp_path / "astrio"
    script.write_text("import sys; print('here', flush=True); sys.stdin.read()")
    process = subprocess.Popen(
        [sys.executable, str(script), "call", "--data", "s3cret"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.communicate()


def test_a_run_of_astrio_is_told_without_its_arguments(astrio: subprocess.Popen[str]) -> None:
    assert command(astrio.pid) == "astrio call"
    assert command(os.getppid()) != "astrio call"


def test_a_process_began_before_now(astrio: subprocess.Popen[str]) -> None:
    since = datetime.fromisoformat(str(began(astrio.pid)))
    assert datetime.now(UTC) - since < timedelta(hours=1)


def test_nothing_is_told_of_a_process_that_has_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert (began(ended.pid), command(ended.pid)) == (None, None)
