"""What Prefect logs of a run holds no secret: in messages, arguments, tracebacks and causes."""

from __future__ import annotations

import io
import logging
from typing import NoReturn

import pytest

from astrio.blocks.errors import CredentialsError
from astrio.blocks.redaction import remember
from astrio.flows.redacted_logs import RedactingFilter, redact_logs

SECRET = "c4nary/in+a=log"


@pytest.fixture
def written() -> io.StringIO:
    remember(SECRET)
    return io.StringIO()


@pytest.fixture
def logger(written: io.StringIO) -> logging.Logger:
    logger = logging.Logger("tested")
    logger.addFilter(RedactingFilter())
    logger.addHandler(logging.StreamHandler(written))
    return logger


def fail(cause: Exception | None) -> NoReturn:
    raise RuntimeError("It failed.") from cause


def test_a_secret_among_the_arguments_is_masked(
    logger: logging.Logger, written: io.StringIO
) -> None:
    logger.info("Sent %s to %s%%", SECRET, 100)
    assert written.getvalue() == "Sent *** to 100%\n"


def test_a_secret_in_the_cause_of_an_error_is_masked(
    logger: logging.Logger, written: io.StringIO
) -> None:
    try:
        fail(ValueError(f"broken: {SECRET}"))
    except RuntimeError:
        logger.exception("Oh")
    assert "ValueError: broken: ***" in written.getvalue()
    assert "RuntimeError: It failed." in written.getvalue()
    assert SECRET not in written.getvalue()


def test_an_error_that_astrio_explains_is_logged_without_a_traceback(
    logger: logging.Logger, written: io.StringIO
) -> None:
    error = CredentialsError("The API refused the key.")
    logger.error("Task run failed: %s", error, exc_info=error)
    assert written.getvalue() == "Task run failed: The API refused the key.\n"


def test_a_traceback_is_written_once(logger: logging.Logger, written: io.StringIO) -> None:
    try:
        fail(None)
    except RuntimeError:
        logger.exception("Oh")
    assert written.getvalue().count("Traceback") == 1


@pytest.mark.parametrize("name", ["prefect.flow_runs", "prefect.task_runs", "httpx"])
def test_installed_twice_it_works_once(name: str) -> None:
    redact_logs()
    redact_logs()
    found = [each for each in logging.getLogger(name).filters if isinstance(each, RedactingFilter)]
    assert len(found) == 1
