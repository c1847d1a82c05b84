"""Starting a bundled server as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from astrio.blocks.errors import FatalError

PATIENCE = 10.0
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
def running(*arguments: str) -> Iterator[str]:
    """Run `python ARGUMENTS…` until the block ends; yields the first line that it prints.

    Ctrl-C does not reach the child, which imports from where this process does.

    Raises:
        FatalError: it ended without printing a line; its standard error says why.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(  # noqa: S603 (our own interpreter, no shell)
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    with child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline().strip()
            if not line:
                raise FatalError(
                    f"The local server did not start: {' '.join(arguments)}",
                    advice="Its own message stands above on standard error.",
                )
            yield line
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
