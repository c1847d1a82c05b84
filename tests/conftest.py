"""Shared fixtures. No test touches the user's own home, Prefect profile or Prefect server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.support.connectors import write  # noqa: F401 (a fixture)
from tests.support.mariadb import mariadb, mysql_url  # noqa: F401 (fixtures)
from tests.support.postgres import postgres, postgres_url  # noqa: F401 (fixtures)
from tests.support.s3 import bucket, s3_url  # noqa: F401 (fixtures)

from astrio.blocks import redaction

_scratch = Path(tempfile.mkdtemp(prefix="astrio-tests-"))
os.environ.update(
    ASTRIO_HOME=str(_scratch / "astrio"),
    PREFECT_HOME=str(_scratch / "prefect"),
    PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    DO_NOT_TRACK="1",
)
for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "ASTRIO_LEDGER_URL"):
    os.environ.pop(name, None)


# How long an example takes says nothing on a machine that is busy.
settings.register_profile("astrio", deadline=None)
settings.load_profile("astrio")

# The many commands that tests start need not compile the same modules each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that need a Prefect server or start processes: they take longest.

    Each worker of pytest-xdist takes one file after the other. With the quick ones at the end, none
    is left alone with a long one.
    """
    files: dict[Path, int] = {}
    for item in items:
        files[item.path] = min(files.get(item.path, 2), _turn(item))
    items.sort(key=lambda item: files[item.path])


def _turn(item: pytest.Item) -> int:
    if "prefect_api" in getattr(item, "fixturenames", ()):
        return 0
    named = vars(getattr(item, "module", None) or pytest)
    return 1 if named.keys() & {"subprocess", "astrio", "begin", "gateway"} else 2


@pytest.fixture(autouse=True)
def _forgotten_secrets() -> Iterator[None]:
    """Let no test's secrets mask another test's texts."""
    known = dict(redaction._known)
    yield
    redaction._known.clear()
    redaction._known.update(known)
    redaction._matchers.clear()


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[str]:
    """A real Prefect server for the whole session; yields its API URL.

    Flows called in this process use it; subprocesses get it as PREFECT_API_URL.
    """
    from astrio.deployments.server import prefect_server

    with prefect_server(lambda sentence: None) as url:
        yield url


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ASTRIO_HOME of the test's own."""
    folder = tmp_path / "astrio-home"
    monkeypatch.setenv("ASTRIO_HOME", str(folder))
    return folder
