"""`astrio status` and `astrio quarantine`: what the destinations remember."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.deployments.cli.cli import ORDERS, SHOP, call, called, shop

from astrio.flows.engine import run_without_prefect
from astrio.flows.reading.read import read_integration
from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.opening import open_destination
from astrio.tasks.ledger.streams import KnownStream, remember_stream


@pytest.fixture
def ran(folder: Path) -> Path:
    """A folder in which the shop's integration has run: one order written, two rejected."""
    with shop(folder):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    return folder


def remember(folder: Path, file: Path | None) -> None:
    remember_stream(
        KnownStream(
            integration="shop",
            destination="sqlite",
            table_name="orders",
            file=str(file) if file else None,
            cwd=str(folder),
            last_run_at="2026-01-01T00:00:00Z",
            last_state="completed",
        )
    )


def test_status_tells_the_last_run_and_the_quarantine(ran: Path) -> None:
    [entry] = called("status", "shop.yaml")["streams"]
    assert entry["integration"] == "shop"
    assert entry["state"] == "completed_with_rejects"
    assert entry["quarantined"] == 2
    assert entry["last_run"]["records"]["written"] == 1
    assert entry["problem"] is None


def test_status_shows_a_table_and_what_to_do_next(ran: Path) -> None:
    result = call("status")
    assert result.exit_code == 0
    assert "shop" in result.stdout
    assert "astrio quarantine list shop" in result.stderr


def test_status_of_a_file_that_never_ran_says_so(folder: Path) -> None:
    Path("shop.yaml").write_text(SHOP.format(url="https://shop.example.com"))
    assert "never run" in call("status", "shop.yaml").stdout
    assert not Path("shop.db").exists()


def test_status_where_nothing_is_says_so(folder: Path) -> None:
    result = call("status")
    assert result.exit_code == 0
    assert "Nothing has run yet" in result.stderr


def test_status_leaves_out_files_with_mistakes(folder: Path) -> None:
    Path("shop.yaml").write_text("source: 5\n")
    assert called("status") == {"streams": []}


def test_status_of_a_failed_run_repeats_the_error(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": 5}), pytest.raises(Exception, match="list"):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    result = call("status", "shop.yaml")
    assert "failed" in result.stdout
    assert "the last run failed" in result.stderr


def test_status_tells_who_is_at_work_and_what_is_unfinished(ran: Path) -> None:
    integration = read_integration(Path("shop.yaml")).integration
    destination = open_destination(integration.push, "shop")
    destination.open(RunIdentity("run-1", "shop"))
    destination.begin_slice(atomic=False)
    destination.commit(Chunk([], resume=lambda _: {"page": 2}))
    running = call("status", "shop.yaml")
    destination.close()
    assert "running" in running.stdout
    assert "shop is running: " in running.stderr
    assert "ended in the middle" in call("status", "shop.yaml").stderr


def test_a_stream_is_found_by_name_from_any_folder(
    ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(ran, ran / "shop.yaml")
    monkeypatch.chdir(tmp_path)
    assert [entry["quarantined"] for entry in called("status")["streams"]] == [2]
    assert called("status", "shop")["streams"][0]["quarantined"] == 2
    assert len(called("quarantine", "list", "shop")) == 2


def test_a_stream_that_ran_is_not_listed_a_second_time_for_its_file(ran: Path) -> None:
    remember(ran, ran / "shop.yaml")
    assert len(called("status")["streams"]) == 1


@pytest.mark.parametrize(
    ("gone", "told"),
    [("file", "no such file"), ("folder", "is gone"), ("python", "written in Python")],
)
def test_a_stream_whose_file_is_gone_is_told_from_the_index(
    ran: Path, tmp_path: Path, gone: str, told: str
) -> None:
    cwd = tmp_path / "elsewhere" if gone == "folder" else ran
    remember(cwd, None if gone == "python" else tmp_path / "gone.yaml")
    (ran / "shop.yaml").unlink()
    [entry] = called("status")["streams"]
    assert entry["state"] == "completed"
    assert told in entry["problem"]
    assert "cannot be looked into" in call("status").stderr
    assert call("quarantine", "list").exit_code == 0
    assert call("quarantine", "list", "shop").exit_code == 2


def test_a_database_that_is_none_exits_with_an_error(ran: Path) -> None:
    Path("shop.db").write_text("this is no database" * 100)
    result = call("status", "shop.yaml", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["kind"] == "destination"


def test_quarantine_list_as_json_is_an_array(ran: Path) -> None:
    rows = called("quarantine", "list", "shop.yaml")
    assert [row["field"] for row in rows] == ["customer.age", "customer.email"]
    assert rows[0].keys() == {
        "id",
        "integration",
        "key",
        "field",
        "rule",
        "reason",
        "run",
        "first_seen",
        "seen",
        "state",
    }


def test_quarantine_list_shows_field_and_reason(ran: Path) -> None:
    result = call("quarantine", "list")
    assert "customer.email" in result.stdout
    assert "2 records" in result.stderr


def test_an_empty_quarantine_says_so(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": ORDERS[:1]}):
        asyncio.run(run_without_prefect(read_integration(Path("shop.yaml")).integration))
    assert "The quarantine is empty" in call("quarantine", "list").stderr
    assert "The quarantine is empty" in call("quarantine", "show", "shop").stderr


@pytest.mark.parametrize(("state", "count"), [("open", 2), ("resolved", 0), ("all", 2)])
def test_quarantine_list_chooses_by_state(ran: Path, state: str, count: int) -> None:
    assert len(called("quarantine", "list", "--state", state)) == count


def test_quarantine_list_of_another_state_says_that_there_are_none(ran: Path) -> None:
    assert "No records are resolved" in call("quarantine", "list", "--state", "resolved").stderr


def test_an_unknown_state_is_a_usage_error(folder: Path) -> None:
    result = call("quarantine", "list", "--state", "opne")
    assert result.exit_code == 2


def test_quarantine_show_gives_the_whole_record_and_every_problem(ran: Path) -> None:
    number = called("quarantine", "list", "shop")[0]["id"]
    [record] = called("quarantine", "show", "shop", "--id", str(number))["records"]
    assert record["record"] == ORDERS[2]
    assert [each["field"] for each in record["problems"]] == ["customer.age"]


def test_quarantine_show_without_ids_shows_all_open_ones(ran: Path) -> None:
    shown = call("quarantine", "show", "shop.yaml").stdout
    assert '"email": "ben(at)example"' in shown
    assert "customer.age (map)" in shown


def test_an_unknown_id_exits_with_2(ran: Path) -> None:
    result = call("quarantine", "show", "shop", "--id", "99")
    assert result.exit_code == 2
    assert "no record 99" in result.stderr


def test_status_tells_which_columns_came_later(ran: Path) -> None:
    integration = read_integration(Path("shop.yaml")).integration
    destination = open_destination(integration.push, integration.name)
    destination.open(RunIdentity("later", integration.name))
    destination.begin_slice(atomic=False)
    key = integration.push.key[0]
    row = Batch(Page(1), (key, "coupon"), [(99, "x")], [{}])
    destination.commit(Chunk([row]))
    destination.close()
    [entry] = called("status", "shop.yaml")["streams"]
    [column] = entry["not_backfilled"]
    assert (column["column"], column["run"]) == ("coupon", "later")
    told = call("status", "shop.yaml").stderr
    assert "the column coupon was added later and is not backfilled before" in told


def test_while_its_mapping_is_being_mended_a_stream_can_be_looked_into(ran: Path) -> None:
    file = Path("shop.yaml")
    remember(ran, file.resolve())
    file.write_text(file.read_text().replace("map:", "map: {broken: lower(}\nmop:"))
    for words in (["status"], ["status", "shop.yaml"]):
        [entry] = called(*words)["streams"]
        assert entry["quarantined"] == 2
        assert "mistake" in entry["problem"]
    listed = call("quarantine", "list", "shop", "--json")
    assert len(json.loads(listed.stdout)) == 2
    replayed = call("quarantine", "replay", "shop")
    assert replayed.exit_code == 2
    assert "through its mapping and rules" in replayed.stderr


def test_what_could_not_be_looked_into_is_not_told_as_nothing(ran: Path) -> None:
    file = Path("shop.yaml")
    remember(ran, file.resolve())
    file.unlink()
    [entry] = called("status")["streams"]
    assert (entry["quarantined"], entry["watermark"]) == (None, None)
    assert "?" in call("status").stdout
