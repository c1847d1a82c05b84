"""Parts of a stream: written side by side, each with a state of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.contracts.stream import Stream, StreamContract, batch, rejected

from astrio.blocks.errors import DestinationError, LeaseHeldError
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import parts_done, stream_status
from astrio.tasks.destinations.part import Part, PartTakenError
from astrio.tasks.destinations.sql import moment
from astrio.tasks.report import Records, RunReport

ONE, TWO = Part(("one",)), Part(("two",))
CHUNK = Part(("day 1",), once="backfill:day 1")


class PartsContract(StreamContract):
    """Inherited by `DestinationContract`."""

    def test_parts_are_written_side_by_side_each_with_its_own_state(self, stream: Stream) -> None:
        first, second = stream.open("run-1", part=ONE), stream.open("run-2", part=TWO)
        first.commit(Chunk([batch("id", (1,))], lambda _: {"page": 2}, watermark="a"))
        second.commit(Chunk([batch("id", (2,))], lambda _: {"page": 7}, watermark="b"))
        first.close()
        second.close()
        states = []
        for part in (ONE, TWO, Part()):
            stream.open("look", part=part, begin=False).close()
            states.append((stream.state.watermark, stream.state.resume))
        assert states == [("a", {"page": 2}), ("b", {"page": 7}), (None, None)]
        assert stream.rows() == [(1,), (2,)]

    def test_one_part_is_written_by_one_run_at_a_time(self, stream: Stream) -> None:
        stream.open(part=ONE)
        with pytest.raises(LeaseHeldError, match=r"shop \(table orders\), one is at work"):
            stream.open(part=ONE)

    @pytest.mark.parametrize("ended", [True, False])
    def test_a_part_that_another_run_has_taken_over_is_that_ones(
        self, stream: Stream, ended: bool
    ) -> None:
        first = stream.open(part=ONE)
        second = stream.open(part=ONE, clock=lambda: moment.now() + timedelta(seconds=40))
        if ended:
            second.close()
        with pytest.raises(PartTakenError, match="ended since" if ended else "is at work"):
            first.commit(Chunk([batch("id", (1,))]))

    @pytest.mark.parametrize(("first", "second"), [(Part(), ONE), (ONE, Part())])
    def test_a_part_is_not_written_beside_the_whole(
        self, stream: Stream, first: Part, second: Part
    ) -> None:
        opened = stream.open(part=first)
        with pytest.raises(LeaseHeldError):
            stream.open(part=second)
        opened.close()
        stream.open(part=second)

    def test_a_chunk_of_a_part_is_not_written_beside_it_but_beside_another(
        self, stream: Stream
    ) -> None:
        stream.open(part=ONE)
        stream.open(part=Part(("two", "day 1"), once="x"))
        with pytest.raises(LeaseHeldError):
            stream.open(part=Part(("one", "day 1"), once="x"))

    def test_with_a_version_a_part_is_written_beside_the_whole_and_the_newer_row_stays(
        self, url: str
    ) -> None:
        stream = Stream(url, version="at")
        try:
            live, part = stream.open("live"), stream.open("part", part=ONE)
            live.commit(Chunk([batch("id at name", (1, "2026-02", "new"), (2, "2026-01", "old"))]))
            stale = batch("id at name", (1, "2026-01", "stale"), (2, "2026-02", "new"))
            written = part.commit(Chunk([stale]))
            assert (written.written, written.unchanged) == (1, 1)
            live.commit(Chunk([batch("id at name", (2, "2026-01", "stale"))]))
            assert [row[2] for row in stream.rows()] == ["new", "new"]
        finally:
            stream.close()

    def test_a_run_that_waits_for_parts_goes_before_the_next_of_them(self, stream: Stream) -> None:
        first = stream.open(part=ONE)
        refused = list[bool]()

        def pause(_: float) -> None:
            if not refused:
                first.close()
            with pytest.raises(LeaseHeldError):
                stream.open(part=TWO, begin=False)
            refused.append(True)

        whole = stream.open("whole", wait=True, pause=pause)
        assert refused == [True]
        whole.close()
        stream.open(part=TWO)

    def test_what_a_killed_part_has_left_is_swept_by_another_after_a_day(
        self, stream: Stream
    ) -> None:
        late = timedelta()

        def left() -> int:
            """Return how many leases are left by those before a part that gives its own back."""
            stream.open(part=TWO, begin=False, clock=lambda: moment.now() + late).close()
            return len(stream.rows("SELECT stream FROM _astrio_lease WHERE holder IS NOT NULL"))

        stream.open(part=CHUNK)
        stream.open(part=ONE, clock=lambda: moment.now() + timedelta(hours=20))
        late = timedelta(hours=10)
        assert left() == 2
        late = timedelta(hours=30)
        assert left() == 1

    def test_a_part_that_is_read_once_is_known_to_be_done(self, stream: Stream) -> None:
        report = RunReport(integration="shop", state="completed", records=Records(fetched=1))
        opened = stream.open(part=CHUNK)
        opened.commit(Chunk([batch("id", (1,))], lambda _: {"page": 2}))
        assert parts_done(stream.push, "shop", [CHUNK.once]) == {}
        opened.finish(report, clear_resume=True)
        opened.close()
        stream.open("later", part=CHUNK, begin=False)
        assert stream.state.resume is None
        assert stream.state.done is not None
        done = parts_done(stream.push, "shop", [CHUNK.once, "another"])
        assert done == {CHUNK.once: stream.state.done}
        assert RunReport.model_validate(done[CHUNK.once]).records.fetched == 1

    def test_a_part_that_is_read_once_learns_the_watermark_of_the_whole(
        self, stream: Stream
    ) -> None:
        whole = stream.open()
        whole.commit(Chunk([batch("id", (1,))], watermark="2026-01-01"))
        whole.close()
        stream.open("part", part=CHUNK)
        assert stream.state.watermark == "2026-01-01"

    def test_the_quarantine_of_a_part_is_that_of_the_whole(self, stream: Stream) -> None:
        part = stream.open(part=ONE)
        reject = rejected({"id": 1}, (1,))
        part.commit(Chunk([batch("id", (2,), rejects=[reject])]))
        part.close()
        assert stream_status(stream.push, "shop").quarantined == 1
        whole = stream.open("whole")
        whole.commit(Chunk([batch("id", (1,))]))
        assert stream_status(stream.push, "shop").quarantined == 0

    def test_the_status_tells_where_each_part_stands(self, stream: Stream) -> None:
        first = stream.open("run-1", part=ONE)
        first.commit(Chunk([batch("id", (1,))], lambda _: {"page": 2}, watermark="a"))
        first.close()
        stream.open("run-2", part=Part(("two", "day 1"), once="x"))
        one, two = stream_status(stream.push, "shop").parts
        assert one == {"part": "one", "watermark": "a", "unfinished": True, "running": None}
        assert (two["part"], two["unfinished"]) == ("two, day 1", False)
        assert "process" in str(two["running"])

    # Some columns only.

    @pytest.mark.parametrize("text", ["no", 'it\'s 100 % "quoted"'])
    def test_some_columns_of_rows_that_are_there_are_written(
        self, stream: Stream, text: str
    ) -> None:
        stream.write("id name", (1, "a"), (2, "b"))
        part = stream.open("fill", part=Part(("x",), "x", columns=("size", "note")))
        rows = batch("id name size note", (1, "z", 5, text), (3, "z", 6, text), (2, "z", 7, None))
        written = part.commit(Chunk([rows]))
        again = part.commit(Chunk([rows]))
        assert stream.columns() == ["id", "name", "size", "note"]
        assert stream.rows() == [(1, "a", 5, text), (2, "b", 7, None)]
        assert (written.written, written.unchanged, written.filtered) == (2, 0, 1)
        assert (again.written, again.unchanged, again.filtered) == (0, 2, 1)

    def test_columns_of_newer_rows_stay(self, url: str) -> None:
        stream = Stream(url, version="at")
        try:
            stream.write("id at size", (1, "2026-02", 1), (2, "2026-01", 1), (3, None, 1))
            part = stream.open("fill", part=Part(("x",), "x", columns=("size",)))
            rows = [(number, "2026-01", 9) for number in (1, 2, 3)]
            written = part.commit(Chunk([batch("id at size", *rows)]))
            assert written.written == 2
            assert [row[2] for row in stream.rows()] == [1, 9, 9]
        finally:
            stream.close()

    def test_of_a_key_that_comes_twice_the_last_columns_count(self, stream: Stream) -> None:
        stream.write("id size", (1, 0))
        part = stream.open("fill", part=Part(("x",), "x", columns=("size",)))
        written = part.commit(Chunk([batch("id size", (1, 5), (1, 5), (1, 6))]))
        assert (written.written, written.unchanged) == (2, 1)
        assert stream.rows() == [(1, 6)]

    def test_a_column_of_objects_is_filled(self, stream: Stream) -> None:
        stream.write("id", (1,))
        part = stream.open("fill", part=Part(("x",), "x", columns=("more",)))
        part.commit(Chunk([batch("id more", (1, {"a": [1, None]}))]))
        ((_, stored),) = stream.rows()
        assert self.read_json(stored) == {"a": [1, None]}

    def test_a_value_that_the_database_refuses_is_quarantined(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id INT PRIMARY KEY, size INT CHECK (size < 10))")
        stream.write("id size", (1, 1), (2, 2))
        part = stream.open("fill", part=Part(("x",), "x", columns=("size",)))
        written = part.commit(Chunk([batch("id size", (1, 99), (2, 9))]))
        assert (written.written, [each.key for each in written.failed]) == (1, [(1,)])
        assert stream.rows() == [(1, 1), (2, 9)]

    def test_columns_of_a_table_that_does_not_exist_are_refused(self, stream: Stream) -> None:
        with pytest.raises(DestinationError, match="There is no table orders"):
            stream.open("fill", part=Part(("x",), "x", columns=("size",)))
