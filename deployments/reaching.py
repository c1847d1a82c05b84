"""The Prefect server that saved connections are read from, where none is configured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from astrio.blocks.store.reach import reaching


@contextmanager
def reaching_saved(notify: Callable[[str], None]) -> Iterator[None]:
    """Let what is saved be read within the block: by contract.md's rule, *State*.

    The noted server is used, or a temporary one started, only when something is asked for; it is
    kept until the block ends. Nothing of Prefect is imported for it.

    Args:
        notify: shows a sentence to the user, such as that a temporary server is starting.
    """
    with ExitStack() as held:
        found: list[str] = []

        def reach() -> str:
            from astrio.deployments.server import shared_server

            if not found:
                found.append(held.enter_context(shared_server(notify)))
            return found[0]

        with reaching(reach):
            yield
