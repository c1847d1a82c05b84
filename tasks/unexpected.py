"""Errors that are none of astrio's: their text may hold anything, so it is masked.

Those of a Prefect server that is too busy, or gone, pass by themselves; the others nobody foresaw.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from astrio.blocks.errors import AstrioError, FatalError, ServerUnavailableError
from astrio.blocks.redaction import redact

_logger = logging.getLogger("prefect.task_runs")
_PASSING: Final = (408, 429)
"""Statuses below 500 that pass by themselves."""


@contextmanager
def explained() -> Iterator[None]:
    """Let only astrio's own errors out of the block.

    Prefect stores the text of whatever a task raises, in clear; a driver's or a library's text may
    repeat a URL with its password. The traceback is logged at level DEBUG, masked.

    Raises:
        AstrioError: in the place of an error that is none of astrio's, without its cause.
    """
    try:
        yield
    except AstrioError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, its text must be masked)
        _logger.debug(redact(traceback.format_exc()))
        raise unexpected(error) from None


def unexpected(error: Exception) -> AstrioError:
    """Return what to tell about an error that is none of astrio's.

    It is a ServerUnavailableError if Prefect's client has given up, else a FatalError.
    """
    if any(map(_is_of_the_server, (error, error.__cause__))):
        why = f"{type(error).__name__}: {error}".partition("\n")[0]
        return ServerUnavailableError(
            redact(f"The Prefect server is too busy, or does not answer ({why})."),
            advice="Run the same again when it does: nothing that was committed is lost. Where it "
            "happens often, let the Prefect server keep its own data in PostgreSQL.",
        )
    return FatalError(
        redact(f"astrio stumbled over an error of its own: {type(error).__name__}: {error}"),
        advice="To see where, run it again with --verbose and PREFECT_LOGGING_LEVEL=DEBUG set; "
        "then report it.",
    )


def _is_of_the_server(error: BaseException | None) -> bool:
    """Whether Prefect's client has raised it, after tries of its own."""
    if error is None or "prefect.exceptions" not in sys.modules:
        return False  # a run without Prefect does not import it for this
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError
    from prefect.settings import get_current_settings

    if isinstance(error, PrefectHTTPStatusError):
        status = error.response.status_code
        return status in _PASSING or status >= 500
    if not isinstance(error, httpx.TransportError):
        return False
    try:
        asked = error.request.url
    except RuntimeError:  # it does not tell
        return False
    server = urlsplit(get_current_settings().api.url or "")
    return (asked.host, asked.port) == (server.hostname, server.port)
