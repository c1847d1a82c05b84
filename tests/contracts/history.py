"""What is true of `mode: history` in every SQL database; each database's tests inherit this."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.contracts.dry import dry_run
from tests.contracts.stream import Row, Stream, StreamContract, batch, rejected
from tests.contracts.vanishing import gone, telling

from astrio.blocks.errors import DestinationError, TooManyVanishedError
from astrio.tasks.batch import Batch
from astrio.tasks.destinations.base import Chunk, RunIdentity, Written
from astrio.tasks.report import Records, RunReport

DAY = datetime(2026, 3, 1, tzinfo=UTC)
VERSIONS = "SELECT id, name, valid_from, valid_to FROM orders ORDER BY id, valid_from"


def moment(stored: Any) -> Any:
    """Return a stored time as one, whichever way the database keeps it."""
    read = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return read if read is None or read.tzinfo else read.replace(tzinfo=UTC)


def day(stored: Any) -> Any:
    """Return the number of the day of a stored time."""
    at = moment(stored)
    return None if at is None else (at - DAY).days


def versions(stream: Stream, query: str = VERSIONS) -> list[Row]:
    """Return id, name, and the days from and to which each version is valid."""
    return [(*row[:-2], day(row[-2]), day(row[-1])) for row in stream.rows(query)]


def pushed(
    stream: Stream,
    on: int,
    *chunks: Batch,
    whole: bool = False,
    run_id: str | None = None,
    resumed: bool = False,
    finish: bool = True,
) -> tuple[Written, RunReport]:
    """Push chunks in a run that begins on that day."""
    destination = stream.open(run_id or f"run-{on}", begin=False)
    started = DAY + timedelta(days=on)
    destination._run = RunIdentity(run_id or f"run-{on}", "shop", started=started)
    if resumed:
        destination.adopt(run_id or f"run-{on}", started)
    report, total = RunReport(integration="shop", state="completed"), Written()
    try:
        destination.begin_slice(atomic=False, whole=whole)
        for each in chunks:
            written = destination.commit(Chunk([each]))
            total.written += written.written
            total.unchanged += written.unchanged
            total.deleted += written.deleted
            total.failed += written.failed
        if finish:
            destination.finish(report, clear_resume=True)
    finally:
        destination.close()
    return total, report


def counts(result: tuple[Written, RunReport]) -> tuple[int, int]:
    """Return how many rows were written and unchanged."""
    return result[0].written, result[0].unchanged


class HistoryContract(StreamContract):
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, mode="history", vanished={"rows": "close", "most": "60%"})
        yield stream
        stream.close()

    def test_the_first_run_opens_a_version_of_every_row(self, stream: Stream) -> None:
        assert counts(pushed(stream, 0, batch("id name", (1, "a"), (2, "b")))) == (2, 0)
        assert versions(stream) == [(1, "a", 0, None), (2, "b", 0, None)]
        assert stream.columns() == ["id", "name", "valid_from", "valid_to"]

    def test_a_changed_row_closes_its_version_and_opens_a_new_one(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b")))
        assert counts(pushed(stream, 1, batch("id name", (1, "A"), (2, "b")))) == (1, 1)
        assert versions(stream) == [(1, "a", 0, 1), (1, "A", 1, None), (2, "b", 0, None)]

    def test_rows_that_have_not_changed_add_nothing(self, stream: Stream) -> None:
        rows = [(1, "a", 1.5, True, {"a": [1]}, None), (2, "b", 2.0, False, {}, 7)]
        pushed(stream, 0, batch("id name n ok extra note", *rows))
        assert counts(pushed(stream, 1, batch("id name n ok extra note", *rows))) == (0, 2)
        assert len(stream.rows()) == 2

    def test_a_field_that_becomes_empty_or_filled_is_a_change(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, None)))
        assert counts(pushed(stream, 1, batch("id name", (1, None), (2, "b")))) == (2, 0)

    def test_a_new_column_makes_new_versions_of_the_rows_that_fill_it(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b")))
        pushed(stream, 1, batch("id name size", (1, "a", 5), (2, "b", None)))
        query = "SELECT id, size, valid_from, valid_to FROM orders ORDER BY id, valid_from"
        assert versions(stream, query) == [(1, None, 0, 1), (1, 5, 1, None), (2, None, 0, None)]

    # A key more than once.

    def test_of_a_key_that_comes_twice_in_a_run_the_last_row_wins(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a")))
        chunks = [batch("id name", (1, "b"), (1, "b"), (1, "c")), batch("id name", (1, "d"))]
        assert counts(pushed(stream, 1, *chunks)) == (3, 1)
        assert versions(stream) == [(1, "a", 0, 1), (1, "d", 1, None)]

    def test_a_clock_that_was_set_back_loses_no_change(self, stream: Stream) -> None:
        pushed(stream, 5, batch("id name", (1, "a")))
        assert counts(pushed(stream, 3, batch("id name", (1, "b")))) == (1, 0)
        assert versions(stream) == [(1, "b", 5, None)]

    def test_there_is_never_more_than_one_open_version(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a")))
        if stream_has_partial_indexes(stream):
            with pytest.raises(Exception, match=r"(?i)unique"):
                stream.execute("INSERT INTO orders VALUES (1, 'x', '2027-01-01', NULL)")

    # Versions of the source's own.

    def test_versions_that_are_times_say_when_they_began(self, url: str) -> None:
        stream = Stream(url, mode="history", version="at")
        days = [(DAY + timedelta(days=number)).isoformat() for number in range(6)]
        rows = [(1, "a", days[0]), (1, "b", days[2]), (2, "x", days[1])]
        pushed(stream, 9, batch("id name at", *rows))
        late = [(1, "late", days[1]), (1, "c", days[4]), (2, "y", days[1])]
        assert counts(pushed(stream, 10, batch("id name at", *late))) == (2, 1)
        assert versions(stream) == [
            *[(1, "a", 0, 2), (1, "b", 2, 4), (1, "c", 4, None)],
            (2, "y", 1, None),
        ]
        stream.close()

    @pytest.mark.parametrize("at", [DAY + timedelta(days=2), date(2026, 3, 3), "2026-03-03"])
    def test_versions_may_be_times_of_any_form(self, url: str, at: Any) -> None:
        stream = Stream(url, mode="history", version="at")
        pushed(stream, 9, batch("id name at", (1, "a", at)))
        assert versions(stream) == [(1, "a", 2, None)]
        stream.close()

    @pytest.mark.parametrize("at", ["v-1", "20260303", 20260303])
    def test_versions_that_are_no_times_begin_with_their_run(self, url: str, at: Any) -> None:
        stream = Stream(url, mode="history", version="at")
        pushed(stream, 9, batch("id name at", (1, "a", at)))
        assert versions(stream) == [(1, "a", 9, None)]
        stream.close()

    def test_versions_that_are_numbers_keep_older_rows_out(self, url: str) -> None:
        stream = Stream(url, mode="history", version="n")
        pushed(stream, 0, batch("id name n", (1, "a", 5), (2, "b", None)))
        result = pushed(stream, 1, batch("id name n", (1, "old", 4), (1, "new", 6), (2, "c", 1)))
        assert counts(result) == (2, 1)
        assert counts(pushed(stream, 2, batch("id name n", (1, "x", None)))) == (0, 1)
        assert versions(stream) == [
            *[(1, "a", 0, 1), (1, "new", 1, None)],
            *[(2, "b", 0, 1), (2, "c", 1, None)],
        ]
        stream.close()

    def test_versions_that_are_texts_compare_by_code_point(self, url: str) -> None:
        stream = Stream(url, mode="history", version="v")
        pushed(stream, 0, batch("id name v", (1, "x", "b")))
        assert counts(pushed(stream, 1, batch("id name v", (1, "y", "B")))) == (0, 1)
        stream.close()

    def test_a_row_without_a_time_begins_with_its_run(self, url: str) -> None:
        stream = Stream(url, mode="history", version="at")
        pushed(stream, 3, batch("id name at", (1, "a", None)))
        assert versions(stream) == [(1, "a", 3, None)]
        stream.close()

    # What is gone.

    def test_rows_that_are_not_met_are_closed(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b"), (3, "c")), whole=True)
        _, report = pushed(stream, 1, batch("id name", (2, "b"), (3, "C")), whole=True)
        assert report.records.deleted == 1
        assert versions(stream) == [
            *[(1, "a", 0, 1), (2, "b", 0, None)],
            *[(3, "c", 0, 1), (3, "C", 1, None)],
        ]
        assert (
            pushed(stream, 2, batch("id name", (2, "b"), (3, "C")), whole=True)[1].records.deleted
            == 0
        )

    def test_too_many_are_not_closed(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b"), (3, "c")), whole=True)
        with pytest.raises(TooManyVanishedError, match=r"2 of 3 rows.*None was closed"):
            pushed(stream, 1, batch("id name", (3, "c")), whole=True)

    def test_a_row_that_comes_back_opens_a_version_and_leaves_the_gap(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b")), whole=True)
        pushed(stream, 1, batch("id name", (2, "b")), whole=True)
        assert counts(pushed(stream, 3, batch("id name", (1, "a")))) == (1, 0)
        assert versions(stream)[:2] == [(1, "a", 0, 1), (1, "a", 3, None)]

    def test_one_that_comes_back_with_its_old_time_begins_where_it_ended(self, url: str) -> None:
        stream = Stream(url, mode="history", version="at", deleted="gone")
        at = DAY.isoformat()
        pushed(stream, 5, batch("id name at", (1, "a", at)))
        pushed(stream, 6, telling("id name at", gone=[gone(1)]))
        pushed(stream, 7, batch("id name at", (1, "a", at)))
        assert versions(stream) == [(1, "a", 0, None)]  # an older deletion: it has no version
        later = (DAY + timedelta(days=2)).isoformat()
        pushed(stream, 8, telling("id name at", gone=[gone(1, version=later)]))
        assert versions(stream) == [(1, "a", 0, 2)]
        pushed(stream, 9, batch("id name at", (1, "a", at)))
        assert versions(stream) == [(1, "a", 0, 2), (1, "a", 2, None)]
        stream.close()

    def test_a_record_that_tells_of_a_deletion_closes_its_version(self, url: str) -> None:
        stream = Stream(url, mode="history", deleted="gone")
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b")))
        told = telling("id name", (3, "c"), gone=[gone(1), gone(3), gone(9)])
        written, _ = pushed(stream, 1, told)
        assert (written.written, written.unchanged, written.deleted) == (3, 1, 2)
        assert [row[0] for row in versions(stream) if row[3] is None] == [2]
        (c,) = [row for row in stream.rows(VERSIONS) if row[0] == 3]
        assert moment(c[3]) - moment(c[2]) == timedelta(microseconds=1)  # it was, for a moment
        again, _ = pushed(stream, 1, batch("id name", (3, "c")))
        assert again.written == 1
        stream.close()

    # Tables of before.

    def test_a_table_with_room_for_one_version_is_refused(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR(20))")
        with pytest.raises(DestinationError, match="no room for several versions"):
            pushed(stream, 0, batch("id name", (1, "a")))

    def test_rows_of_before_are_versions_without_a_beginning(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT, name VARCHAR(20), mine INT)")
        stream.execute("INSERT INTO orders VALUES (1, 'a', 7), (2, 'b', 7)")
        pushed(stream, 1, batch("id name", (1, "A"), (2, "b")))
        found = versions(stream, "SELECT id, name, valid_from, valid_to FROM orders")
        assert sorted(found, key=str) == [
            (1, "A", 1, None),
            (1, "a", None, 1),
            (2, "b", None, None),
        ]

    @pytest.mark.parametrize("name", ["valid_from", "Valid.To"])
    def test_fields_of_the_history_s_names_are_refused(self, stream: Stream, name: str) -> None:
        with pytest.raises(DestinationError, match="tell when a version was valid"):
            pushed(stream, 0, batch(f"id {name}", (1, "a")))

    # Keys and rows of every kind.

    def test_a_key_may_have_several_fields_of_any_name(self, url: str) -> None:
        stream = Stream(url, mode="history", key=["shop%", "id"], vanished="close")
        pushed(stream, 0, batch("shop% id name", ("a", 1, "x"), ("b", 1, "y")), whole=True)
        result = pushed(stream, 1, batch("shop% id name", ("a", 1, "X"), ("b", 1, "y")))
        assert counts(result) == (1, 1)
        assert len(stream.rows("SELECT * FROM orders WHERE \"shop%\" = 'a'")) == 2
        stream.close()

    def test_a_table_that_is_nothing_but_its_key_has_one_version(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id", (1,), (2,)))
        assert counts(pushed(stream, 1, batch("id", (2,), (3,)))) == (1, 1)

    def test_a_key_and_a_field_that_become_texts_meanwhile_go_on(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, 5), (2, 6)), whole=True)
        chunks = [batch("id name", (1, 5)), batch("id name", ("x", "y"))]
        written, report = pushed(stream, 1, *chunks, whole=True)
        assert (written.written, written.unchanged, report.records.deleted) == (1, 1, 1)
        assert versions(stream) == [("1", "5", 0, None), ("2", "6", 0, 1), ("x", "y", 1, None)]

    def test_rows_that_the_database_refuses_fail_and_the_others_go_in(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT, age BIGINT CHECK (age >= 18))")
        rows = [(number, 5 if number in {3, 8} else 30) for number in range(10)]
        written, _ = pushed(stream, 0, batch("id age", *rows))
        assert (written.written, [each.key for each in written.failed]) == (8, [(3,), (8,)])
        written, _ = pushed(stream, 1, batch("id age", (1, 31), (2, 4)))
        assert (written.written, len(written.failed)) == (1, 1)
        assert stream.rows("SELECT count(*) FROM orders WHERE valid_to IS NULL") == [(8,)]

    # Crashes, and records that come again.

    def test_a_resumed_run_opens_no_version_twice(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b")), whole=True)
        first = batch("id name", (1, "A"))
        pushed(stream, 1, first, whole=True, finish=False)
        _, report = pushed(stream, 1, first, batch("id name", (3, "c")), whole=True, resumed=True)
        assert report.records.deleted == 1
        assert versions(stream) == [
            *[(1, "a", 0, 1), (1, "A", 1, None)],
            *[(2, "b", 0, 1), (3, "c", 1, None)],
        ]

    def test_a_quarantined_record_that_is_mended_opens_its_version_then(
        self, stream: Stream
    ) -> None:
        pushed(stream, 0, batch("id name", (1, "a")), whole=True)
        page = batch("id name", rejects=[rejected({"id": 1}, (1,))])
        assert pushed(stream, 1, page, whole=True)[1].records.deleted == 0
        pushed(stream, 2, batch("id name", (1, "b")))
        assert versions(stream) == [(1, "a", 0, 2), (1, "b", 2, None)]
        assert stream.rows("SELECT state FROM _astrio_quarantine") == [("resolved",)]

    # Dry runs.

    def test_a_dry_run_foretells_versions(self, stream: Stream) -> None:
        pushed(stream, 0, batch("id name", (1, "a"), (2, "b"), (3, "c")), whole=True)
        page = batch("id name", (1, "A"), (1, "B"), (2, "b"), (4, "d"))
        before = stream.rows()
        examples: list[Any] = []
        with dry_run(stream, examples, whole=True) as destination:
            report = RunReport(integration="shop", state="completed", records=Records())
            report.records.unchanged = destination.commit(Chunk([page])).unchanged
            destination.finish(report, clear_resume=True)
        found = report.difference
        assert found is not None
        assert (found.new, found.changed, found.unchanged, found.removed) == (1, 2, 1, 1)
        ((key, fields),) = [(each.key, each.fields) for each in examples]
        assert (key, list(fields), fields["name"].after) == ({"id": 1}, ["name"], "B")
        assert stream.rows() == before
        result = pushed(stream, 1, page, whole=True)
        assert (counts(result), result[1].records.deleted) == ((3, 1), 1)


def stream_has_partial_indexes(stream: Stream) -> bool:
    """Whether the database keeps open versions distinct by itself."""
    return bool(stream.open(begin=False)._dialect.partial_indexes)
