"""The demo of docs/quarantine.md: its commands, one after the other, and what they print."""

from __future__ import annotations

import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.command import astrio
from tests.support.server import serve

from astrio.tasks.destinations.settings import QuarantineSettings

PAGE = (Path(__file__).parents[2] / "docs" / "quarantine.md").read_text(encoding="utf-8")
FILE = PAGE.partition("```yaml\n")[2].partition("```")[0]
ORDERS = [
    {
        "id": number,
        "customer": {"email": f"Customer{number}@example.com"},
        "total": f"{number}{',' if number % 20 == 0 else '.'}50",
    }
    for number in range(1, 1001)
]


def steps() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the page's console with the lines that it should print."""
    console = PAGE.partition("```console\n")[2].partition("```")[0]
    for step in re.split(r"^\$ ", console, flags=re.M)[1:]:
        command, *lines = step.splitlines()
        yield command, lines


def printed(line: str, text: str) -> bool:
    """Whether a line of the page is among what was printed; `…` stands for anything."""
    words = r"\s+".join(re.escape(word).replace("…", ".+") for word in line.split())
    return re.search(words, text) is not None


@pytest.mark.timeout(300)
def test_the_demo_goes_as_the_page_says(tmp_path: Path, prefect_api: str) -> None:
    (tmp_path / "orders.yaml").write_text(FILE, encoding="utf-8")
    with serve({"/orders": lambda _: {"orders": ORDERS}}) as server:
        environment = {"API_URL": server.url, "PREFECT_API_URL": prefect_api, "COLUMNS": "200"}
        for command, lines in steps():
            if not command.startswith("astrio "):
                subprocess.run(shlex.split(command), cwd=tmp_path, check=True)
                continue
            ended = astrio(*shlex.split(command)[1:], folder=tmp_path, environment=environment)
            assert ended.code == 0, ended.err
            for line in lines:
                assert printed(line, ended.out + ended.err), (line, ended.out, ended.err)
    with closing(sqlite3.connect(tmp_path / "orders.db")) as database:
        found = database.execute("SELECT id, CAST(total AS REAL) FROM orders ORDER BY id")
        assert found.fetchall() == [(number, number + 0.5) for number in range(1, 1001)]


def test_every_key_is_on_the_page() -> None:
    assert [name for name in QuarantineSettings.model_fields if f"`{name}`" not in PAGE] == []
