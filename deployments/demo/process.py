"""Starting a bundled server as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from astrio.blocks.errors import FatalError

PATIENCE = 30.0
"""Seconds for a child to end before it is killed."""


@contextmanager
def running_shop(seed: int = 7) -> Iterator[str]:
    """Run the demo shop until the block ends; yields its base URL.

    Raises:
        FatalError: it did not start.
    """
    with running("-m", "astrio.deployments.demo.shop", "--seed", str(seed)) as url:
        yield url


@contextmanager
def running_gateway() -> Iterator[str]:
    """Run `astrio gateway` for the current folder until the block ends; yields its URL.

    Raises:
        FatalError: it did not start.
    """
    command = "import sys; from astrio.deployments.cli import main; main()"
    with _child(["-c", command, "gateway", ".", "--port", "0"], stderr=subprocess.PIPE) as child:
        assert child.stderr is not None
        line = child.stderr.readline().strip()
        if not line.startswith("listening on "):
            raise FatalError(f"The gateway did not start: {line}")
        reading = threading.Thread(target=child.stderr.read, daemon=True)
        reading.start()  # a full pipe would hold the gateway up
        yield line.removeprefix("listening on ")


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Run `python ARGUMENTS…` until the block ends; yields the first line that it prints.

    Ctrl-C does not reach the child, which imports from where this process does.

    Raises:
        FatalError: it ended without printing a line; its standard error says why.
    """
    with _child(arguments, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        line = child.stdout.readline().strip()
        if not line:
            raise FatalError(
                f"The local server did not start: {' '.join(arguments)}",
                advice="Its own message stands above on standard error.",
            )
        yield line


@contextmanager
def _child(
    arguments: Sequence[str], *, stdout: int | None = None, stderr: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 (our own interpreter, no shell)
        [sys.executable, *arguments],
        text=True,
        env=environment,
        start_new_session=True,
        stdout=stdout,
        stderr=stderr,
    )
    with child:
        try:
            yield child
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
