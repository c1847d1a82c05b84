"""The README tells the truth: its file is accepted, its commands and places exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astrio.deployments.cli import app
from astrio.flows.reading.read import read_integration

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_its_integration_file_is_read_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "shop-orders.yaml"
    for text in blocks("yaml"):
        file.write_text(text, "utf-8")
        assert read_integration(file).warnings == []


def test_each_command_in_its_table_exists() -> None:
    import typer

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined] # a group
    rows = re.findall(r"^\| `astrio ([^|]*)\|", README, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"(?:^|`, `)([a-z]+)", row)}
    assert {"init", "check", "run"} <= named
    assert named - {"show"} <= known


@pytest.mark.parametrize("place", re.findall(r"^\| [^|]+\| `([^`]+)/<name>", README, re.MULTILINE))
def test_each_place_in_its_table_exists(place: str) -> None:
    assert (ROOT / place).is_dir()


def test_its_two_commands_stand_where_ci_reads_them() -> None:
    for marker in ("demo", "tests"):
        assert f"<!-- command: {marker} -->\n```sh\npython3 -m venv .venv && " in README
