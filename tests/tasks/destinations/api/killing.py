"""Runs that are killed with -9 at a named point: in a process that is forked, and dies.

A point is where the journal or the destination is about to do something, or has just done it; the
n-th time that a run comes there, it is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.flows.running import run

from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.destinations.api.deliverer import Deliverer
from astrio.tasks.destinations.api.destination import ApiDestination
from astrio.tasks.destinations.api.journal import Journal
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.http.client import ApiClient

POINTS: dict[str, tuple[type, str]] = {
    "journal": (Journal, "keep"),
    "request": (ApiClient, "_follow"),
    "chunk sent": (Deliverer, "deliver"),
    "chunk": (SqlDestination, "commit"),
    "end": (ApiDestination, "finish"),
}


def killed(plan: Integration, point: str, times: int, *, after: bool) -> bool:
    """Run in a process of its own, and kill it there; return whether it got there.

    Args:
        plan: the integration.
        point: one of POINTS.
        times: the how-manieth call.
        after: once the call has returned, and not before it.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _plant(*POINTS[point], times, after=after)
            pushing.CHUNK_ROWS = 3
            run(plan)
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(ended) == 0, "the run failed, and was not killed"
    return False


def _plant(owner: type, name: str, times: int, *, after: bool) -> None:
    original: Callable[..., Any] = getattr(owner, name)
    left = [times]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if name == "_follow":

        async def follow(*args: Any, **how: Any) -> Any:
            if not after and _pushes(args):
                die()
            found = await original(*args, **how)
            if after and _pushes(args):
                die()
            return found

        setattr(owner, name, follow)
        return

    def call(*args: Any, **how: Any) -> Any:
        if not after:
            die()
        found = original(*args, **how)
        if after:
            die()
        return found

    setattr(owner, name, call)


def _pushes(args: tuple[Any, ...]) -> bool:
    return bool(args[1].method != "GET")
