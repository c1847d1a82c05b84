"""What answers quickly imports neither Prefect nor SQLAlchemy."""

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
        command = [sys.executable, "-c", SCRIPT, *words]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
