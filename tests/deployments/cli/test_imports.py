"""What answers quickly imports neither Prefect nor SQLAlchemy; a run imports what it uses alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.deployments.cli.cli import shop

SCRIPT = """
import sys
from astrio.deployments.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
heavy = {"prefect", "sqlalchemy", "alembic", "fastapi", "granian"} & sys.modules.keys()
assert not heavy, heavy
"""
RUN = """
import sys
from astrio.deployments.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
idle = {idle!r} & sys.modules.keys()
assert not idle, idle
"""
ENGINE = """
import asyncio, sys
from pathlib import Path
from astrio.flows.engine import run_without_prefect
from astrio.flows.reading.read import read_integration
asyncio.run(run_without_prefect(read_integration(Path(sys.argv[1])).integration))
idle = {idle!r} & sys.modules.keys()
assert not idle, idle
"""
IDLE = {
    "boto3",
    "botocore",
    "duckdb",
    "email_validator",
    "fastapi",
    "graphql",
    "phonenumbers",
    "prefect.server",
    "psycopg",
    "pyarrow",
    "pydantic.v1",
    "pymysql",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.orm",
}
"""What a run from an API into SQLite has no use for, without a rule for e-mail addresses."""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("check",),
        ("functions",),
        ("init", "project"),
        ("test", "shop"),
        ("preview", "shop.yaml"),
        ("call", "hello.yaml"),
        ("gateway", "--help"),
        ("events", "send", "--help"),
    ],
    ids=" ".join,
)
def test_a_quick_command_imports_neither_prefect_nor_sqlalchemy(
    words: tuple[str, ...], folder: Path
) -> None:
    with shop(folder) as server:
        (folder / "hello.yaml").write_text(f"url: {server.url}/orders\nmethod: GET\n", "utf-8")
        completed(SCRIPT, *words)


def test_a_run_imports_nothing_it_has_no_use_for(
    folder: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    with shop(folder):
        plain(folder)
        completed(RUN.replace("{idle!r}", repr(IDLE)), "run", "shop.yaml")


def test_the_engine_imports_nothing_it_has_no_use_for(folder: Path) -> None:
    with shop(folder):
        plain(folder)
        completed(ENGINE.replace("{idle!r}", repr(IDLE | {"alembic", "prefect"})), "shop.yaml")


def plain(folder: Path) -> None:
    file = folder / "shop.yaml"
    file.write_text(file.read_text("utf-8").replace("type: email, ", ""), "utf-8")


def completed(script: str, *words: str) -> None:
    command = [sys.executable, "-c", script, *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
