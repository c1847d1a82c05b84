"""A dry run to a file: it predicts rows, name and size, and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, record
from tests.flows.running import failed_run, run
from tests.tasks.destinations.files.killing import killed
from tests.tasks.destinations.files.writing import files, plan

from astrio.blocks.errors import LeaseHeldError
from astrio.flows.integration import Integration
from astrio.tasks.destinations.base import RunIdentity
from astrio.tasks.destinations.opening import open_destination, stream_status
from astrio.tasks.difference import Difference

RECORDS = [record(number) for number in range(25)]
INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}


def told(plan_: Integration) -> Difference:
    report = run(plan_, dry_run=True)
    assert report.records.balanced
    assert report.difference is not None
    return report.difference


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz", "a.parquet"])
def test_it_tells_the_rows_the_name_and_the_size(tmp_path: Path, home: Path, name: str) -> None:
    file = tmp_path / "out" / name
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": str(file)})
        found = told(plan_)
        assert not file.parent.exists()
        assert not home.exists()
        run(plan_)
    assert found.file is not None
    assert (found.new, found.removed, found.file.replaces) == (25, 0, False)
    assert (found.file.name, found.file.bytes) == (str(file), file.stat().st_size)


def test_it_tells_that_a_file_is_replaced(tmp_path: Path, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"})
        run(plan_)
        before = [path.read_bytes() for path in files(tmp_path)]
        found = told(plan_)
    assert found.file is not None
    assert (found.new, found.removed, found.file.replaces) == (25, 25, True)
    assert [path.read_bytes() for path in files(tmp_path)] == before


def test_it_reads_what_the_next_run_would_read(tmp_path: Path, home: Path) -> None:
    records = list(RECORDS)
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        run(plan_)
        assert (told(plan_).new, told(plan_).file) == (0, None)
        records.append(record(50))
        assert told(plan_).new == 1


def test_it_counts_what_a_run_would_set_aside(tmp_path: Path, home: Path) -> None:
    with cursor_api([record(1), record(2, name="half \ud800")]) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"})
        report = run(plan_, dry_run=True)
    assert (report.records.written, report.records.failed) == (1, 1)
    assert stream_status(plan_.push, plan_.name).quarantined == 0


def test_it_takes_a_file_that_is_due_for_shown(tmp_path: Path, home: Path) -> None:
    records: list[dict[str, Any]] = [record(1)]
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        assert killed(plan_, "due")
        assert told(plan_).new == 0
        assert stream_status(plan_.push, plan_.name).unfinished


def test_a_run_that_would_fail_leaves_no_file(tmp_path: Path, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"}, map={"id": "int(name)"})
        failed_run(plan_, dry_run=True)
    assert files(tmp_path) == []


def test_it_is_refused_beside_a_run(tmp_path: Path, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"})
        held = open_destination(plan_.push, plan_.name)
        held.open(RunIdentity("another", plan_.name))
        error = failed_run(plan_, dry_run=True)
        held.close()
    assert isinstance(error, LeaseHeldError)
