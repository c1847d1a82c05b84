"""Where to find a Prefect server if none is configured: whoever knows one says so here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from astrio.blocks.errors import ServerUnavailableError

Reach = Callable[[], str]
_reach: ContextVar[Reach | None] = ContextVar("reach", default=None)


@contextmanager
def reaching(reach: Reach) -> Iterator[None]:
    """Ask `reach` for a server's API URL within the block, where none is configured."""
    token = _reach.set(reach)
    try:
        yield
    finally:
        _reach.reset(token)


def reached() -> str:
    """Return the API URL of the server that is known here.

    Raises:
        ServerUnavailableError: nobody knows one.
    """
    reach = _reach.get()
    if reach is None:
        raise ServerUnavailableError(
            "No Prefect server is configured, so nothing that is saved can be read.",
            advice="Set PREFECT_API_URL, or choose a Prefect profile.",
        )
    return reach()
