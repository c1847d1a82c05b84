"""Runs under `push.contract`: balanced accounts, marked columns, and going on after a failure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import Faulty, failed_run, last_report, query, run

from astrio.flows.integration import Integration
from astrio.flows.summary import facts, markdown
from astrio.tasks.destinations.opening import quarantine_rows, stream_status
from astrio.tasks.report import OTHER_FIELDS, TableChanges


def passing(url: str, database: Path, **push: Any) -> Integration:
    """Return an integration that passes records through."""
    target = {"to": {"url": f"sqlite:///{database}"}, "table": "items", "mode": "upsert"}
    return Integration.model_validate(
        {
            "name": "items",
            "source": {
                "api": {"base_url": url},
                "request": {"path": "/items"},
                "records": "$.items[*]",
                "paginate": {"type": "cursor", "param": "cursor", "next": "$.next"},
            },
            "push": target | {"key": ["id"]} | push,
        }
    )


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "updated_at": "2026-01-01", **more}


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty([item(number) for number in range(25)]).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
@pytest.mark.parametrize("contract", ["quarantine", "discard_row", "discard_value"])
def test_every_word_keeps_the_account_balanced_in_every_mode(
    api: Faulty, database: Path, contract: str, mode: str
) -> None:
    key = [] if mode == "append" else ["id"]
    plan = passing(api.server.url, database, contract=contract, mode=mode, key=key)
    run(plan)
    for number in range(12, 18):
        api.records[number]["extra"] = "x"
    api.records[20]["updated_at"] = None
    report = run(plan)
    records = report.records
    assert records.balanced
    assert records.fetched == 25
    lost = {"quarantine": (6, 0), "discard_row": (0, 6), "discard_value": (0, 0)}[contract]
    assert (records.rejected, records.filtered) == lost
    assert len(quarantine_rows(plan.push, "items")) == lost[0]
    assert report.state == ("completed_with_rejects" if lost[0] else "completed")
    told = f"push.contract left {'records' if lost[1] else 'values'} out of the table: 6 for extra."
    assert report.warnings == ([] if lost[0] else [told])
    assert last_report(database) == report


def test_a_frozen_run_goes_on_where_it_failed_once_the_table_is_changed(
    api: Faulty, database: Path
) -> None:
    plan = passing(api.server.url, database, contract="freeze")
    run(plan)
    api.records[22]["extra"] = "x"
    error = failed_run(plan)
    assert error.kind == "contract"
    assert last_report(database).state == "failed"
    evolving = passing(api.server.url, database)
    report = run(evolving)
    assert report.records.balanced
    assert query(database, "SELECT id FROM items WHERE extra = 'x'") == [(22,)]


def test_an_added_column_is_told_and_marked_until_everything_was_read_again(
    api: Faulty, database: Path
) -> None:
    source = {"incremental": {"cursor": "updated_at", "param": "since"}}
    plan = passing(api.server.url, database)
    plan = plan.model_copy(
        update={"source": plan.source.model_validate(plan.source.model_dump() | source)}
    )
    run(plan)
    api.records.append(item(99, extra=5) | {"updated_at": "2026-02-01"})
    report = run(plan)
    assert report.table == TableChanges(added=["extra"])
    assert ("Columns added", "extra") in facts(report)
    (marked,) = stream_status(plan.push, "items").unfilled
    assert marked["column"] == "extra"
    run(plan)
    assert stream_status(plan.push, "items").unfilled == (marked,)
    run(plan, full_refresh=True)
    assert stream_status(plan.push, "items").unfilled == ()


def test_a_widened_column_is_told(api: Faulty, database: Path) -> None:
    plan = passing(api.server.url, database)
    run(plan)
    api.records[3]["id"] = "three"
    report = run(plan)
    assert report.table == TableChanges(widened={"id": "BIGINT to TEXT"})
    assert "| Columns widened | id BIGINT to TEXT |" in markdown(report)


def test_very_many_fields_are_counted_together() -> None:
    one = TableChanges(discarded_values={f"f{n}": 1 for n in range(499)})
    sums = one.plus(TableChanges(discarded_values={"f0": 1, "g": 2, "h": 3, "i": 4}))
    assert len(sums.discarded_values) == 501
    assert (sums.discarded_values["f0"], sums.discarded_values["g"]) == (2, 2)
    assert sums.discarded_values[OTHER_FIELDS] == 7
