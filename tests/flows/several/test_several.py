"""Several destinations for one source: read once, each with a state of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import failed_run, query, run
from tests.support.connectors import Write
from tests.support.server import Server

from astrio.blocks.errors import LeaseHeldError
from astrio.flows.integration import Integration
from astrio.tasks.destinations.base import RunIdentity
from astrio.tasks.destinations.opening import open_destination, quarantine_rows, stream_status

RECORDS = [record(number) for number in range(25)]


def to(database: Path, table: str = "items", mode: str = "upsert", **more: Any) -> dict[str, Any]:
    key = {"key": ["id"]} if mode == "upsert" else {}
    return {"to": {"url": f"sqlite:///{database}"}, "table": table, "mode": mode, **key, **more}


def fanned(url: str, *push: dict[str, Any], **more: Any) -> Integration:
    return integration(url, Path("unused"), push=list(push), **more)


def ids(database: Path, table: str = "items") -> list[int]:
    return [row[0] for row in query(database, f"SELECT id FROM {table} ORDER BY id")]


@pytest.fixture
def api() -> Iterator[Server]:
    with cursor_api([*RECORDS]) as server:
        yield server


def test_every_destination_gets_every_record_and_the_source_is_read_once(
    api: Server, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    report = run(fanned(api.url, to(one), to(two, "others", mode="append")))
    assert len(api.requests) == 3
    assert (report.records.fetched, report.records.written, report.state) == (25, 25, "completed")
    assert ids(one) == ids(two, "others") == list(range(25))
    shown = [(each.table, each.mode, each.records.written) for each in report.destinations]
    assert shown == [("items", "upsert", 25), ("others", "append", 25)]


def test_two_tables_of_one_database_and_a_list_of_places(api: Server, tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    run(fanned(api.url, to(one, "a"), to(one, "b")))
    assert ids(one, "a") == ids(one, "b") == list(range(25))
    push = to(one) | {"to": [{"url": f"sqlite:///{one}"}, {"url": f"sqlite:///{two}"}]}
    report = run(integration(api.url, Path("unused"), push=push))
    assert ids(one) == ids(two) == list(range(25))
    assert [each.to for each in report.destinations] == [str(one), str(two)]


def test_the_second_run_finds_each_destination_as_it_is(api: Server, tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    plan = fanned(api.url, to(one), to(two))
    run(plan)
    query_write(two, "DELETE FROM items WHERE id < 5")
    report = run(plan)
    counts = [(each.records.written, each.records.unchanged) for each in report.destinations]
    assert counts == [(0, 25), (5, 20)]
    assert (report.records.written, report.records.unchanged) == (5, 20)
    assert all(each.records.balanced for each in report.destinations)


def query_write(database: Path, sql: str) -> None:
    import sqlite3

    with sqlite3.connect(database) as connection:
        connection.execute(sql)


def test_a_record_that_one_destination_refuses_counts_once_as_failed(
    api: Server, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    query_write(two, "CREATE TABLE items (id BIGINT PRIMARY KEY, email TEXT, updated_at TEXT,"
                " name TEXT CHECK (name <> 'Name 7'))")  # fmt: skip
    plan = fanned(api.url, to(one), to(two))
    report = run(plan)
    assert (report.records.written, report.records.failed) == (24, 1)
    counts = [(each.records.written, each.records.failed) for each in report.destinations]
    assert counts == [(25, 0), (24, 1)]
    assert report.state == "completed_with_rejects"
    first, second = plan.push.all
    assert quarantine_rows(first, plan.name) == []
    assert [row["key"] for row in quarantine_rows(second, plan.name)] == ["7"]


def test_a_record_that_the_rules_reject_is_in_each_quarantine(api: Server, tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    rules = [{"field": "id", "validator": "max:20"}]
    plan = fanned(api.url, to(one), to(two), validate=rules)
    report = run(plan)
    assert (report.records.rejected, report.records.written) == (4, 21)
    assert [each.records.rejected for each in report.destinations] == [4, 4]
    assert [len(quarantine_rows(each, plan.name)) for each in plan.push.all] == [4, 4]


def test_a_destination_that_is_added_later_gets_everything(tmp_path: Path) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    records = [*RECORDS]
    incremental = {"incremental": {"cursor": "updated_at", "param": "since"}}
    for mode in ("upsert", "append"):
        with cursor_api(records) as api:
            table = f"items_{mode}"
            run(fanned(api.url, to(one, table, mode), source=incremental))
            report = run(fanned(api.url, to(one, table, mode), to(two, table, mode),
                                source=incremental))  # fmt: skip
            assert ids(one, table) == ids(two, table) == list(range(25))
            counts = [
                (each.records.written, each.records.unchanged) for each in report.destinations
            ]
            assert counts == [(0, 25), (25, 0)]
            records.append(record(25))
            plan = fanned(api.url, to(one, table, mode), to(two, table, mode), source=incremental)
            assert run(plan).records.written == 1
            records.pop()
        assert ids(one, table) == ids(two, table) == list(range(26))
        marks = {stream_status(each, plan.name).watermark for each in plan.push.all}
        assert marks == {record(25)["updated_at"]}


@pytest.mark.parametrize("mode", ["upsert", "append"])
def test_a_full_refresh_sets_every_watermark_to_where_the_source_is_now(
    tmp_path: Path, mode: str
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    records = [record(number) for number in range(20, 40)]
    incremental = {"incremental": {"cursor": "updated_at", "param": "since"}}
    with cursor_api(records) as api:
        plan = fanned(api.url, to(one, mode=mode), to(two, mode=mode), source=incremental)
        run(plan)
        records[:] = map(record, range(10))  # the source was restored from an older copy
        run(plan, full_refresh=True)
        marks = {stream_status(each, plan.name).watermark for each in plan.push.all}
        assert marks == {record(9)["updated_at"]}
        records.append(record(10))
        assert run(plan).records.written == 1
    assert ids(one) == ids(two) == [*range(11), *range(20, 40)]


def test_one_that_is_down_fails_the_run_and_the_next_brings_it_level(
    api: Server, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "missing" / "two.db"
    plan = fanned(api.url, to(one, mode="append"), to(two, mode="append"))
    error = failed_run(plan)
    assert "does not exist" in error.message
    assert ids(one) == []
    two.parent.mkdir()
    run(plan)
    assert ids(one) == ids(two) == list(range(25))


def test_a_held_lease_of_one_refuses_the_run_and_leaves_the_others_free(
    api: Server, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    plan = fanned(api.url, to(one), to(two))
    holder = open_destination(plan.push.all[1], plan.name)
    holder.open(RunIdentity("other", plan.name))
    assert isinstance(failed_run(plan), LeaseHeldError)
    assert stream_status(plan.push.all[0], plan.name).holder is None
    holder.close()
    assert run(plan).state == "completed"


def test_a_dry_run_tells_a_difference_for_each(api: Server, tmp_path: Path) -> None:
    one = tmp_path / "one.db"
    plan = fanned(api.url, to(one, "a"), to(one, "b"), to(tmp_path / "two.db"))
    dry = run(plan, dry_run=True)
    assert [each.difference.new for each in dry.destinations if each.difference] == [25, 25, 25]
    assert not one.exists()
    run(plan)
    query_write(one, "UPDATE a SET name = 'other' WHERE id = 3")
    query_write(one, "DELETE FROM b WHERE id = 4")
    dry = run(plan, dry_run=True)
    differences = [each.difference for each in dry.destinations if each.difference]
    assert [(each.new, each.changed, each.unchanged) for each in differences] == [
        (0, 1, 24), (1, 0, 24), (0, 0, 25)
    ]  # fmt: skip
    assert differences[0].examples[0].key == {"id": 3}
    assert query(one, "SELECT name FROM a WHERE id = 3") == [("other",)]


def test_a_table_is_replaced_in_one_and_rows_are_added_in_another(
    api: Server, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    plan = fanned(api.url, to(one, mode="replace"), to(two, mode="append"))
    run(plan)
    query_write(one, "INSERT INTO items (id) VALUES (99)")
    report = run(plan)
    assert ids(one) == list(range(25))
    assert len(ids(two)) == 50
    assert report.records.deleted == sum(each.records.deleted for each in report.destinations)


def test_a_function_and_a_table_are_two_destinations(
    write: Write, api: Server, tmp_path: Path, home: Path
) -> None:
    write("crm.py", "GIVEN = []\ndef push(records):\n    GIVEN.extend(records)\n")
    one = tmp_path / "one.db"
    report = run(fanned(api.url, to(one), {"to": {"python": "crm:push"}}))
    from astrio.tasks.python.references import resolve

    assert len(resolve("crm:GIVEN").value) == len(ids(one)) == 25
    assert [each.to for each in report.destinations] == [str(one), "crm:push"]


def test_what_is_stored_of_a_list_is_read_again_as_the_same(tmp_path: Path) -> None:
    plan = fanned("https://app.example.com", to(tmp_path / "a"), to(tmp_path / "b"))
    dumped = plan.model_dump(mode="json", by_alias=True)
    assert [each["table"] for each in dumped["push"]] == ["items", "items"]
    assert Integration.model_validate(dumped) == plan
