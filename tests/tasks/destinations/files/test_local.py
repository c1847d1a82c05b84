"""`push: {to: {file: …}}`: files of this machine, whole or not at all."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.flows.api import cursor_api, record
from tests.flows.running import failed_run, run
from tests.support.server import serve
from tests.tasks.destinations.files.writing import cells, files, lines, plan

from astrio.blocks.errors import (
    ConfigurationError,
    DestinationBusyError,
    DestinationError,
    ImbalanceError,
    LeaseHeldError,
)
from astrio.flows.engine import engine
from astrio.flows.replaying import Replay
from astrio.tasks.destinations.base import RunIdentity
from astrio.tasks.destinations.opening import open_destination, quarantine_rows, stream_status
from astrio.tasks.report import RunReport

pytestmark = pytest.mark.usefixtures("home")
RECORDS = [record(number) for number in range(25)]
INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}


def test_records_become_lines_of_the_file_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "out" / "deep" / "items.jsonl"
    with cursor_api(RECORDS) as api:
        report = run(plan(api.url, {"file": str(file)}))
    assert lines(file) == RECORDS
    assert report.records.written == 25
    assert report.records.balanced
    assert files(file.parent) == [file]


def test_a_relative_path_begins_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"file": "items.jsonl"}))
    assert len(lines(tmp_path / "items.jsonl")) == 25


def test_one_file_is_replaced_by_the_next_run(tmp_path: Path) -> None:
    file, records = tmp_path / "items.csv", list(RECORDS)
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": str(file)})
        run(plan_)
        del records[10:]
        report = run(plan_)
    assert len(cells(file)) == 11
    assert report.records.deleted == 25
    assert plan_.push.mode == "replace"


def test_each_run_adds_a_file_to_a_folder(tmp_path: Path) -> None:
    records = list(RECORDS)
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        run(plan_)
        records.append(record(1000))
        run(plan_)
    written = sorted(len(lines(path)) for path in files(tmp_path / "out"))
    assert plan_.push.mode == "append"
    assert written == [1, 25]
    assert [path.suffix for path in files(tmp_path / "out")] == [".jsonl", ".jsonl"]


def test_a_run_that_finds_nothing_new_adds_no_file(tmp_path: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        run(plan_)
        report = run(plan_)
    assert report.records.written == 0
    assert len(files(tmp_path / "out")) == 1


def test_one_file_is_emptied_when_the_source_is_empty(tmp_path: Path) -> None:
    with cursor_api([]) as api:
        run(plan(api.url, {"file": f"{tmp_path}/a.jsonl"}))
        run(plan(api.url, {"file": f"{tmp_path}/a.csv"}, map={"id": "id", "b.c": "name"}))
        run(plan(api.url, {"file": f"{tmp_path}/a.parquet"}))
    assert (tmp_path / "a.jsonl").read_bytes() == b""
    assert (tmp_path / "a.csv").read_bytes() == b"id,b_c\r\n"
    assert (tmp_path / "a.parquet").read_bytes().startswith(b"PAR1")


def test_placeholders_are_filled_in(tmp_path: Path) -> None:
    name = "{{name}}/{{run_date}}/{{lower(run_time)}}-{{run_id}}.jsonl.gz"
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"file": f"{tmp_path}/{name}"}))
    [file] = (path for path in files(tmp_path) if path.suffix == ".gz")
    folder, day, its_name = file.relative_to(tmp_path).parts
    assert folder == "items"
    assert its_name.startswith(day.replace("-", ""))
    assert lines(file) == RECORDS


def test_the_file_has_the_rights_of_the_one_it_replaces_or_those_of_every_new_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "items.jsonl"
    before = os.umask(0o027)
    try:
        with cursor_api(RECORDS) as api:
            run(plan(api.url, {"file": str(file)}))
            new = stat.S_IMODE(file.stat().st_mode)
            file.chmod(0o664)
            run(plan(api.url, {"file": str(file)}))
    finally:
        os.umask(before)
    assert (new, stat.S_IMODE(file.stat().st_mode)) == (0o640, 0o664)


def test_a_link_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "latest.jsonl"
    (tmp_path / "real").mkdir()
    link.symlink_to(tmp_path / "real" / "items.jsonl")
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"file": str(link)}))
    assert link.is_symlink()
    assert lines(tmp_path / "real" / "items.jsonl") == RECORDS


def test_a_run_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"file": str(file)}))
    pages = {"0": {"items": RECORDS, "next": 1, "total": 50}}
    with serve(lambda request: pages[request.query.get("cursor", "0")]) as api:
        retry = {"max_retries": 0}
        failed_run(plan(api.url, {"file": str(file)}, retry=retry))
    assert lines(file) == RECORDS
    assert files(tmp_path / "out") == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".astrio")] == []


def test_a_source_that_claims_more_records_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    answer = {"items": RECORDS[:3], "next": None, "total": 9}
    with serve(lambda _: answer) as api:
        paginate = {"type": "cursor", "param": "cursor", "next": "$.next", "total": "total"}
        source = {"paginate": paginate}
        error = failed_run(plan(api.url, {"file": str(file)}, source=source))
    assert isinstance(error, ImbalanceError)
    assert not file.exists()


def test_rejected_records_are_quarantined_in_the_ledger_and_leave_it_when_they_are_written(
    tmp_path: Path,
) -> None:
    records = [*RECORDS, record(99, id="seven")]
    with cursor_api(records) as api:
        plan_ = plan(
            api.url, {"file": f"{tmp_path}/a.jsonl"}, map={"id": "int(id)"}, push={"key": ["id"]}
        )
        report = run(plan_)
        assert (report.records.written, report.records.rejected) == (25, 1)
        assert len(quarantine_rows(plan_.push, plan_.name)) == 1
    last = stream_status(plan_.push, plan_.name).last_run
    assert last is not None
    assert last["records"]["written"] == 25


def test_a_value_that_the_format_cannot_hold_is_quarantined(tmp_path: Path) -> None:
    records = [record(1), record(2, name="half \ud800"), record(3)]
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"})
        report = run(plan_)
    assert (report.records.written, report.records.failed) == (2, 1)
    [row] = quarantine_rows(plan_.push, plan_.name)
    assert (row["field"], "surrogate" in row["reason"]) == ("name", True)
    assert [each["id"] for each in lines(tmp_path / "a.jsonl")] == [1, 3]


def test_a_replay_adds_a_file_with_what_was_mended(tmp_path: Path) -> None:
    records = [record(1), record(2, id="two"), record(3, id="three")]
    to = {"file": f"{tmp_path}/out/"}
    with cursor_api(records) as api:
        run(plan(api.url, to, map={"id": "int(id)"}))
        mended = plan(api.url, to, map={"id": "if(id == 'two', 2, int(id))"})
        report = asyncio.run(engine(Replay(mended)))
    assert (report.records.fetched, report.records.written) == (2, 1)
    everything = [each["id"] for path in files(tmp_path / "out") for each in lines(path)]
    assert sorted(everything) == [1, 2]
    assert len(quarantine_rows(mended.push, mended.name)) == 1


def test_nothing_can_be_replayed_into_a_file_that_is_written_anew(tmp_path: Path) -> None:
    with cursor_api([record(1), record(2, id="two")]) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"}, map={"id": "int(id)"})
        run(plan_)
        with pytest.raises(ConfigurationError, match="nothing can be added"):
            asyncio.run(engine(Replay(plan_)))


def test_a_second_run_is_refused_while_one_is_at_work(tmp_path: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/a.jsonl"})
        held = open_destination(plan_.push, plan_.name)
        held.open(RunIdentity("another", plan_.name))
        error = failed_run(plan_)
        held.close()
        run(plan_)
    assert isinstance(error, LeaseHeldError)


def test_a_run_that_lost_its_lease_shows_no_file(tmp_path: Path, home: Path) -> None:
    plan_ = plan("http://localhost", {"file": f"{tmp_path}/a.jsonl"})
    destination = open_destination(plan_.push, plan_.name)
    destination.open(RunIdentity("one", plan_.name))
    destination.begin_slice(atomic=False)
    with closing(sqlite3.connect(home / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE _astrio_lease SET holder = 'another'")
    with pytest.raises(LeaseHeldError):
        destination.finish(RunReport(integration="items"), clear_resume=True)
    destination.close()
    assert not (tmp_path / "a.jsonl").exists()


def test_a_folder_in_the_files_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with cursor_api(RECORDS) as api:
        error = failed_run(plan(api.url, {"file": f"{tmp_path}/a.jsonl"}))
    assert isinstance(error, DestinationError)
    assert "is a folder" in error.message


def test_a_file_in_a_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with cursor_api(RECORDS) as api:
        error = failed_run(plan(api.url, {"file": f"{tmp_path}/out/a.jsonl"}))
    assert isinstance(error, DestinationError)
    assert "no folder" in error.message


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    with cursor_api(RECORDS) as api:
        error = failed_run(plan(api.url, {"file": "/dev/full", "format": "jsonl"}))
    assert "device" in error.message
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


def test_a_file_that_is_there_already_is_not_overwritten_where_files_are_added(
    tmp_path: Path,
) -> None:
    name = "{{substring(run_id, 0, 0)}}a.jsonl"
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/{name}"})
        run(plan_)
        error = failed_run(plan_)
    assert "already" in error.message
    assert len(lines(tmp_path / "a.jsonl")) == 25


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz"])
def test_a_full_disk_fails_the_run_and_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    disk = tmp_path / "disk"
    noise = [record(number, name=os.urandom(40).hex()) for number in range(12_000)]
    with small_disk(disk, "400k"):
        with cursor_api(RECORDS) as api:
            run(plan(api.url, {"file": f"{disk}/{name}"}))
        before = (disk / name).read_bytes()
        with cursor_api(noise, size=4000) as api:
            plan_ = plan(api.url, {"file": f"{disk}/{name}"})
            error = failed_run(plan_)
            assert isinstance(error, DestinationBusyError)
            assert "disk is full" in error.message
            assert (disk / name).read_bytes() == before
            assert [path.name for path in disk.iterdir()] == [name]
            subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
            report = run(plan_)
        assert report.records.written == 12_000
        assert [path.name for path in disk.iterdir()] == [name]


def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "1m"):
        (disk / "a.jsonl").write_text("old\n", encoding="utf-8")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with cursor_api(RECORDS) as api:
            error = failed_run(plan(api.url, {"file": f"{disk}/a.jsonl"}))
        assert isinstance(error, DestinationError)
        assert "cannot be written" in error.message
        assert (disk / "a.jsonl").read_text(encoding="utf-8") == "old\n"


def test_the_state_of_each_path_is_its_own(tmp_path: Path) -> None:
    with cursor_api(RECORDS) as api:
        for name in ("one", "two"):
            run(plan(api.url, {"file": f"{tmp_path}/{name}/"}, source=INCREMENTAL))
    assert [len(lines(path)) for path in files(tmp_path) if path.suffix == ".jsonl"] == [25, 25]


def test_records_are_told_apart_at_the_boundary_of_two_runs(tmp_path: Path) -> None:
    records = [record(1), record(2)]
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"file": f"{tmp_path}/out/"}, source=INCREMENTAL)
        run(plan_)
        records.append(record(3, updated_at=records[-1]["updated_at"]))
        run(plan_)
    found = [each["id"] for path in files(tmp_path / "out") for each in lines(path)]
    assert sorted(found) == [1, 2, 3]
