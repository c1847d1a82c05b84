"""kill -9 at every step by which a file is shown, then a run: nothing lost, nothing twice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, record
from tests.flows.running import run
from tests.tasks.destinations.files.killing import POINTS, killed, somewhere
from tests.tasks.destinations.files.writing import files, lines, plan

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import stream_status
from astrio.tasks.report import RunReport

pytestmark = pytest.mark.usefixtures("home")
INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}
SHOWN = ("due", "shown", "settled")


def check_state(plan_: Integration, folder: Path, report: RunReport) -> None:
    """Nothing is on its way any more, and the run's account adds up."""
    assert report.records.balanced
    assert not stream_status(plan_.push, plan_.name).unfinished
    assert [path for path in files(folder) if path.name.startswith(".astrio")] == []


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_is_killed_while_it_adds_a_file_loses_and_doubles_nothing(
    tmp_path: Path, point: str
) -> None:
    folder = tmp_path / "out"
    records = [record(number) for number in range(35)]
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{folder}/"}, source=INCREMENTAL)
        assert killed(plan_, point)
        shown = point in ("shown", "settled")
        assert sum(len(lines(path)) for path in folder.glob("*.jsonl")) == 35 * shown
        records.append(record(50))
        report = run(plan_)
    found = [each["id"] for path in files(folder) for each in lines(path)]
    assert sorted(found) == [*range(35), 50]
    assert report.records.written == (1 if point in SHOWN else 36)
    check_state(plan_, folder, report)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_is_killed_while_it_replaces_a_file_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, point: str
) -> None:
    file = tmp_path / "out" / "items.jsonl"
    records = [record(number, name="old") for number in range(20)]
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": str(file)})
        run(plan_)
        records[:] = [record(number, name="new") for number in range(30)]
        assert killed(plan_, point)
        names = {each["name"] for each in lines(file)}
        assert names == ({"new"} if point in ("shown", "settled") else {"old"})
        assert len(lines(file)) == (30 if names == {"new"} else 20)
        report = run(plan_)
    assert lines(file) == records
    assert report.records.deleted == (30 if point in SHOWN else 20)
    check_state(plan_, file.parent, report)


def test_the_next_run_says_that_it_has_shown_the_file_of_the_one_before(tmp_path: Path) -> None:
    with cursor_api([record(1)]) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        assert killed(plan_, "due")
        assert stream_status(plan_.push, plan_.name).unfinished
        report = run(plan_)
    assert report.records.written == 0
    [warning] = report.warnings
    assert "An earlier run had ended before its file was shown" in warning
    assert str(tmp_path / "out") in warning


def test_a_file_that_was_due_and_is_gone_is_read_again(tmp_path: Path) -> None:
    with cursor_api([record(1)]) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        assert killed(plan_, "due")
        [temporary] = files(tmp_path / "out")
        temporary.unlink()
        report = run(plan_)
    assert report.records.written == 1
    assert len(files(tmp_path / "out")) == 1


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["", "items.csv", "items.parquet"])
def test_a_hundred_kills_at_random_points_lose_and_double_nothing(
    tmp_path: Path, name: str
) -> None:
    kill_at_random(tmp_path, name, kills=100)


def late(number: int) -> dict[str, Any]:
    """Return a record that is newer than those of lower numbers."""
    at = f"2027-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    return record(number, updated_at=at)


def kill_at_random(tmp_path: Path, name: str, kills: int) -> None:
    chance = random.Random(name)
    folder = tmp_path / "out"
    folder.mkdir()
    records: list[dict[str, Any]] = [record(number) for number in range(60)]
    source = {} if name else INCREMENTAL
    died = 0
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{folder}/{name}"}, source=source)
        while died < kills:
            died += killed(plan_, *somewhere(chance))
            for path in folder.glob("*.jsonl"):
                assert len(lines(path)) > 0
            if chance.random() < 0.5:
                records.append(late(len(records)))
        report = run(plan_)
    check_state(plan_, folder, report)
    if not name:
        found = [each["id"] for path in files(folder) for each in lines(path)]
        assert sorted(found) == sorted(each["id"] for each in records)
    else:
        assert report.records.written == len(records)
        assert len(files(folder)) == 1
