"""`astrio quarantine show`, `discard` and `export`; of `replay` what needs no server."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from tests.deployments.cli.cli import ORDERS, call, called, shop

from astrio.deployments.cli.problems import told
from astrio.flows.engine import run_without_prefect
from astrio.flows.reading.read import read_integration
from astrio.tasks.ledger.sealing import VARIABLE
from astrio.tasks.ledger.streams import KnownStream, remember_stream


@pytest.fixture
def ran(folder: Path) -> Path:
    """A folder in which the shop's integration has run: one order written, two rejected."""
    with shop(folder):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    return folder


def states() -> list[str]:
    rows = called("quarantine", "list", "shop", "--state", "all")
    return [row["state"] for row in rows]


def exported(*words: str) -> str:
    result = call("quarantine", "export", "shop", *words)
    assert result.exit_code == 0, result.stderr
    assert "clear text" in result.stderr
    return result.stdout


def refused(*words: str) -> str:
    """Call what must be refused as a mistake of its user, and return what it says."""
    result = call("quarantine", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


# Show.


def test_an_expression_is_shown_with_a_caret_where_it_failed(ran: Path) -> None:
    lines = call("quarantine", "show", "shop").stdout.splitlines()
    place = lines.index("    int(customer.age)")
    assert lines[place + 1].strip() == "^"
    assert "customer.age (map): " in "".join(lines[:place])


def test_a_problem_is_told_as_far_as_it_is_known() -> None:
    problem = {"field": None, "rule": "expr", "reason": "is not true", "value": "a text of 3"}
    assert list(told(problem)) == ["the record (expr): is not true", "  the value: a text of 3"]
    problem = {"field": "a", "rule": "map", "reason": "no", "expression": "int(\nb)", "position": 5}
    assert list(told(problem)) == ["a (map): no", "  int( b)", "      ^"]


def test_a_record_of_another_key_is_shown_without_its_content(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    shown = call("quarantine", "show", "shop").stdout
    assert "The record is not here: it was encrypted with another key" in shown
    assert VARIABLE in shown
    assert "customer.age (map)" in shown
    assert len(called("quarantine", "list", "shop")) == 2


# Discard.


def test_records_are_discarded_by_their_ids(ran: Path) -> None:
    [first, _] = called("quarantine", "list", "shop")
    words = ("quarantine", "discard", "shop", "--id", str(first["id"]), "--reason", "a test order")
    assert called(*words) == {"discarded": 1}
    assert states() == ["discarded", "open"]
    [record] = called("quarantine", "show", "shop", "--id", str(first["id"]))["records"]
    assert record["note"] == "a test order"
    assert record["closed_at"] is not None


def test_all_records_are_discarded_on_purpose_only(ran: Path) -> None:
    assert "--yes" in refused("discard", "shop", "--all")
    assert states() == ["open", "open"]
    assert "2 records discarded" in call("quarantine", "discard", "shop", "--all", "--yes").stderr
    assert states() == ["discarded", "discarded"]
    assert called("quarantine", "discard", "shop", "--all", "--yes") == {"discarded": 0}


@pytest.mark.parametrize("words", [(), ("--all", "--id", "1")])
def test_what_to_discard_must_be_said(ran: Path, words: tuple[str, ...]) -> None:
    assert "which records" in refused("discard", "shop", *words)


def test_none_is_discarded_if_one_is_unknown(ran: Path) -> None:
    [first, _] = called("quarantine", "list", "shop")
    words = ("discard", "shop", "--id", str(first["id"]), "--id", "99")
    assert "no open record 99" in refused(*words)
    assert states() == ["open", "open"]


def test_a_discarded_record_that_comes_again_opens_a_new_row(ran: Path) -> None:
    call("quarantine", "discard", "shop", "--all", "--yes")
    with shop(ran):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    assert states() == ["discarded", "discarded", "open", "open"]


# Export.


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_records_are_exported_whole_in_each_format(ran: Path, form: str) -> None:
    text = exported("--format", form)
    rows: list[dict[str, Any]]
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        for row in rows:
            row |= {name: json.loads(row[name]) for name in ("record", "problems")}
    else:
        rows = json.loads(text) if form == "json" else list(map(json.loads, text.splitlines()))
    assert [row["record"] for row in rows] == [ORDERS[2], ORDERS[1]]
    assert [row["key"] for row in rows] == ["3", "2"]
    assert [row["problems"][0]["field"] for row in rows] == ["customer.age", "customer.email"]
    assert rows[0].keys() >= {"rule", "reason", "run", "first_seen", "seen", "state", "mapping"}


def test_an_exported_file_is_for_its_owner_alone_and_named_by_its_format(ran: Path) -> None:
    assert exported("--out", "rejects.csv") == ""
    file = Path("rejects.csv")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("id,integration,key,")
    exported("--out", "rejects.txt")
    assert len(Path("rejects.txt").read_text().splitlines()) == 2
    assert [each.name for each in Path().iterdir() if each.name.startswith(".rejects")] == []


def test_a_file_that_is_there_is_left_as_it_is(ran: Path) -> None:
    Path("rejects.jsonl").write_text("mine")
    assert "exists already" in refused("export", "shop", "--out", "rejects.jsonl")
    assert Path("rejects.jsonl").read_text() == "mine"
    assert "cannot be written" in refused("export", "shop", "--out", "no/such/folder.jsonl")


def test_nothing_is_exported_if_a_record_cannot_be_read(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, Fernet.generate_key().decode())
    assert "Nothing was exported" in refused("export", "shop", "--out", "rejects.jsonl")
    assert not Path("rejects.jsonl").exists()


def test_one_record_is_exported_by_its_id(ran: Path) -> None:
    [_, second] = called("quarantine", "list", "shop")
    assert json.loads(exported("--id", str(second["id"])))["record"] == ORDERS[1]


def test_an_empty_quarantine_exports_nothing(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": ORDERS[:1]}):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    result = call("quarantine", "export", "shop", "--format", "json")
    assert json.loads(result.stdout) == []
    assert "0 records exported" in result.stderr


def test_content_that_is_dropped_is_told(ran: Path) -> None:
    plan = read_integration(Path("shop.yaml")).integration
    call("quarantine", "discard", "shop", "--all", "--yes")
    at_once = plan.quarantine.model_copy(update={"keep_closed": "0s"})
    with shop(ran, lambda _: {"orders": []}):
        url = read_integration(Path("shop.yaml")).integration.source
        changed = {"quarantine": at_once, "source": url}
        asyncio.run(run_without_prefect(plan.model_copy(update=changed)))
    result = call("quarantine", "export", "shop", "--state", "discarded")
    assert [json.loads(line)["record"] for line in result.stdout.splitlines()] == [None, None]
    assert "2 of them without the record" in result.stderr


# Replay, as far as it needs no server.


def test_an_unknown_record_is_no_replay(ran: Path) -> None:
    assert "no open record 99" in refused("replay", "shop", "--id", "99")


def test_a_name_that_several_files_have_must_be_told_by_its_file(ran: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        other = tmp_path / str(number)
        other.mkdir()
        (other / "shop.yaml").write_text((ran / "shop.yaml").read_text())
        entry = (f"sqlite {number}", "orders", str(other / "shop.yaml"), str(other), "", "")
        remember_stream(KnownStream("shop", *entry))
    (ran / "shop.yaml").rename(ran / "other.yaml")
    assert "Several integrations are called shop" in refused("replay", "shop")
