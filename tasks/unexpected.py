"""Errors that nobody foresaw: their text may hold anything, so it is masked before it is kept."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from astrio.blocks.errors import AstrioError, FatalError
from astrio.blocks.redaction import redact

_logger = logging.getLogger("prefect.task_runs")


@contextmanager
def explained() -> Iterator[None]:
    """Let only astrio's own errors out of the block.

    Prefect stores the text of whatever a task raises, in clear; a driver's or a library's text may
    repeat a URL with its password. The traceback is logged at level DEBUG, masked.

    Raises:
        FatalError: in the place of an error that is none of astrio's, without its cause.
    """
    try:
        yield
    except AstrioError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, its text must be masked)
        _logger.debug(redact(traceback.format_exc()))
        raise unexpected(error) from None


def unexpected(error: Exception) -> FatalError:
    """Return what to tell about an error that is none of astrio's."""
    return FatalError(
        redact(f"astrio stumbled over an error of its own: {type(error).__name__}: {error}"),
        advice="To see where, run it again with --verbose and PREFECT_LOGGING_LEVEL=DEBUG set; "
        "then report it.",
    )
