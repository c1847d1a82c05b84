"""Edges between integrations: who takes the records over, and no circles."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from astrio.deployments.cli import app
from astrio.deployments.deploying.collecting import collect

API = '{api: {base_url: "https://app.example.com"}}'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, source: str, to: str) -> None:
    push = f"{{to: {to}}}" if to.startswith("{integration") else f"{{to: {to}, table: rows}}"
    Path(f"{name}.yaml").write_text(f"name: {name}\nsource: {source}\npush: {push}\n")


def told() -> tuple[int, list[str]]:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["check"])
    return result.exit_code, result.stdout.splitlines()


def test_a_chain_of_three_is_fine() -> None:
    write("one", API, "{integration: two}")
    write("two", "{event: one}", "{integration: three}")
    write("three", "{event: [two]}", '{url: "sqlite:///a.db"}')
    assert told() == (0, [])
    assert len(collect([Path(f"{name}.yaml") for name in ("one", "two", "three")]).found) == 3


def test_a_receiver_that_is_not_there_is_told_with_the_one_that_was_meant() -> None:
    write("one", API, "{integration: tow}")
    write("two", "{event: one}", '{url: "sqlite:///a.db"}')
    code, lines = told()
    assert code == 2
    assert lines == [
        "one.yaml:3:26: there is no integration `tow` beside this file",
        "two.yaml:2:17: warning: no integration `one` beside this file hands its records over "
        "to this one: it needs `push: {to: {integration: two}}`",
    ]


def test_a_receiver_with_another_source_is_told() -> None:
    write("one", API, "{integration: two}")
    write("two", API, '{url: "sqlite:///a.db"}')
    code, [line] = told()
    assert (code, line.partition(": ")[2]) == (
        2,
        "`two` does not take the records over: it needs `source: {event: one}`",
    )


def test_a_circle_is_refused_in_each_of_its_files_and_by_deploying_them() -> None:
    write("one", "{event: two}", "{integration: two}")
    write("two", "{event: one}", "{integration: one}")
    code, lines = told()
    assert code == 2
    assert [line.rpartition(": ")[2] for line in lines] == [
        "one to two to one",
        "two to one to two",
    ]
    assert len(collect([Path("one.yaml"), Path("two.yaml")]).mistakes) == 2


def test_an_integration_does_not_push_to_itself() -> None:
    write("one", "{event: one}", "{integration: one}")
    assert "one to one" in told()[1][0]


def test_workers_are_warned_of_a_ledger_that_they_do_not_share() -> None:
    write("one", API, "{integration: two}")
    write("two", "{event: one}", '{url: "sqlite:////tmp/a.db"}')
    warnings = collect([Path("one.yaml"), Path("two.yaml")], pooled=True).warnings
    assert any("ASTRIO_LEDGER_URL names a PostgreSQL" in each for each in warnings)
