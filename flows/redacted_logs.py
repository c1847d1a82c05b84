"""Secrets kept out of what Prefect logs: its server stores every line and traceback in clear."""

from __future__ import annotations

import logging

from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact

_LOGGERS = (
    "prefect.flow_runs",
    "prefect.task_runs",
    "prefect.flow_engine",
    "prefect.task_engine",
    "httpx",  # names each URL with its query
)


class RedactingFilter(logging.Filter):
    """Masks secrets in a record's message and traceback, the causes of the error included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place and let it pass.

        An error that astrio explains needs no traceback: its text says what, where and what to do.
        """
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and isinstance(record.exc_info[1], AstrioError):
            record.exc_info, record.exc_text = None, None
        elif record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None  # a handler would format it again
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


_filter = RedactingFilter()


def redact_logs() -> None:
    """Install the filter, once, on the loggers that see a run's errors and addresses."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
