"""What the ledger remembers of a stream of files moves on when the file is shown, not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.destinations.files.writing import files, lines, plan

from astrio.blocks.errors import DestinationBusyError
from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.base import Chunk, RunIdentity, StreamState
from astrio.tasks.destinations.files.destination import FileDestination
from astrio.tasks.destinations.opening import open_dry_run
from astrio.tasks.destinations.part import Part
from astrio.tasks.report import RunReport


class Died(BaseException):
    """The process has died here."""


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def _ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))


def destination(folder: Path, dies_at: str = "") -> FileDestination:
    def passing(point: str) -> None:
        if point == dies_at:
            raise Died

    push = plan("http://localhost", {"file": f"{folder}/out/"}).push
    return FileDestination(push, "items", passing=passing)


def opened(written: FileDestination, name: str = "one") -> StreamState:
    return written.open(RunIdentity(name, "items"))


def chunk() -> Chunk:
    batch = Batch(Page(1), ("id",), [(1,), (2,)], [{"id": 1}, {"id": 2}])
    return Chunk([batch], partitions={"parent": 7}, effects=["event"])


def write(written: FileDestination) -> None:
    written.begin_slice(atomic=False)
    written.commit(chunk())
    report = RunReport(integration="items", state="completed")
    written.finish(report, watermark=5, ties={"a": 1}, clear_resume=True, profile={"b": 2})


def test_watermark_parts_and_effects_move_with_the_file(tmp_path: Path) -> None:
    written = destination(tmp_path)
    assert opened(written) == StreamState()
    write(written)
    written.close()
    again = destination(tmp_path)
    state = opened(again, "two")
    assert (state.watermark, state.ties, state.profile) == (5, {"a": 1}, {"b": 2})
    assert again.partitions(["parent", "other"]) == {"parent": 7}
    assert again.effects(["event", "other"]) == {"event"}
    again.close()
    assert [len(lines(path)) for path in files(tmp_path / "out")] == [2]


@pytest.mark.parametrize("point", ["chunk", "spooled", "secured"])
def test_nothing_moves_before_the_file_is_due(tmp_path: Path, point: str) -> None:
    written = destination(tmp_path, dies_at=point)
    opened(written)
    with pytest.raises(Died):
        write(written)
    written.close()
    again = destination(tmp_path)
    state = opened(again, "two")
    assert (state.watermark, state.ties, state.resume, state.profile) == (None, {}, None, None)
    assert again.partitions(["parent"]) == {}
    assert again.effects(["event"]) == set()
    again.close()
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize("point", ["due", "shown"])
def test_all_of_it_moves_once_the_next_run_opens_a_stream_whose_file_is_due(
    tmp_path: Path, point: str
) -> None:
    written = destination(tmp_path, dies_at=point)
    opened(written)
    with pytest.raises(Died):
        write(written)
    written.close()
    push = plan("http://localhost", {"file": f"{tmp_path}/out/"}).push
    rehearsed = open_dry_run(push, "items", None, [])
    assert rehearsed.open(RunIdentity("dry", "items")).watermark == 5
    assert rehearsed.partitions(["parent"]) == {"parent": 7}
    assert rehearsed.effects(["event"]) == {"event"}
    rehearsed.close()
    again = destination(tmp_path)
    assert opened(again, "two").watermark == 5
    assert again.partitions(["parent"]) == {"parent": 7}
    assert again.effects(["event"]) == {"event"}
    again.close()
    assert [len(lines(path)) for path in files(tmp_path / "out")] == [2]


def test_a_slice_that_begins_again_begins_its_file_again(tmp_path: Path) -> None:
    written = destination(tmp_path)
    opened(written)
    written.begin_slice(atomic=False)
    written.commit(chunk())
    written.abandon()
    assert files(tmp_path / "out") == []
    write(written)
    written.close()
    assert [len(lines(path)) for path in files(tmp_path / "out")] == [2]


def test_the_lease_is_renewed_beside_other_calls(tmp_path: Path) -> None:
    written = destination(tmp_path)
    opened(written)
    assert written.renews_apart
    written.renew()
    written.close()


def test_a_file_that_is_removed_before_it_is_shown_fails_the_run(tmp_path: Path) -> None:
    def passing(point: str) -> None:
        if point == "due":
            for path in files(tmp_path / "out"):
                path.unlink()

    push = plan("http://localhost", {"file": f"{tmp_path}/out/"}).push
    written = FileDestination(push, "items", passing=passing)
    opened(written)
    with pytest.raises(DestinationBusyError, match="removed meanwhile"):
        write(written)
    written.abandon(RunReport(integration="items"))
    written.close()
    again = destination(tmp_path)
    assert opened(again, "two").watermark is None
    write(again)
    again.close()
    assert [len(lines(path)) for path in files(tmp_path / "out")] == [2]


def test_the_report_names_the_file(tmp_path: Path) -> None:
    written = destination(tmp_path)
    opened(written)
    written.begin_slice(atomic=False)
    written.commit(chunk())
    report = RunReport(integration="items", state="completed")
    written.finish(report, clear_resume=True)
    written.close()
    assert report.file == str(files(tmp_path / "out")[0])


def test_parts_of_a_stream_add_files_at_once(tmp_path: Path) -> None:
    one, two = destination(tmp_path, dies_at="due"), destination(tmp_path)
    one.only(Part(("store=a",)))
    two.only(Part(("store=b",)))
    opened(one)
    opened(two, "two")
    one.begin_slice(atomic=False)
    write(two)
    one.commit(chunk())
    with pytest.raises(Died):
        one.finish(RunReport(integration="items"), watermark=3, clear_resume=True)
    one.close()
    two.close()
    for part, mark in (("store=a", 3), ("store=b", 5), ("store=c", None)):
        again = destination(tmp_path)
        again.only(Part((part,)))
        assert opened(again, part).watermark == mark
        again.close()
    assert [len(lines(path)) for path in files(tmp_path / "out")] == [2, 2]
