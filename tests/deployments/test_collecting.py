"""What keeps integrations with Python of their own from running in workers is told beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.connectors import Write

from astrio.deployments.deploying.collecting import collect

FILE = """\
name: {name}
source: {{python: "{source}"}}
transform: {transform}
push: {{to: {{url: "sqlite:////data/x.db"}}, table: items}}
"""


@pytest.fixture
def files(write: Write, tmp_path: Path) -> list[Path]:
    """An integration with modules of the folder, and one with an installed module."""
    write("crm/__init__.py", "")
    write("crm/items.py", "def items(context): ...\ndef row(record): ...\n")
    own, installed = tmp_path / "own.yaml", tmp_path / "installed.yaml"
    own.write_text(FILE.format(name="own", source="crm.items:items", transform="json:dumps"))
    installed.write_text(FILE.format(name="installed", source="glob:glob", transform="json:dumps"))
    return [own, installed]


def test_modules_that_workers_need_are_told_where_a_pool_is_named(files: list[Path]) -> None:
    [warning] = collect(files, pooled=True).warnings
    assert warning == (
        f"{files[0]}:2:18: warning: workers need `crm.items` too: install it there as a package, "
        "or let ASTRIO_CONNECTORS name its folder"
    )
    assert not collect(files).warnings


def test_a_variable_that_names_the_whole_path_is_enough(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_CONNECTORS", str(files[0].parent / "connectors"))
    assert not collect(files, pooled=True).warnings
