"""What is true of `push.vanished` and `push.deleted` in every SQL database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.contracts.dry import dry_run
from tests.contracts.stream import Row, Stream, StreamContract, batch, rejected

from astrio.blocks.errors import ConfigurationError, TooManyVanishedError
from astrio.tasks.batch import Batch, Deletion
from astrio.tasks.destinations.base import Chunk, RunIdentity, Written
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.report import Parents, Records, RunReport

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [(number, f"n{number}") for number in range(1, 11)]
SHOWN = "SELECT id FROM orders WHERE _astrio_deleted_at IS NULL ORDER BY id"
MARKED = "SELECT id FROM orders WHERE _astrio_deleted_at IS NOT NULL ORDER BY id"


def begun(stream: Stream, run_id: str = "run", *, resumed: bool = False) -> SqlDestination:
    """Open a destination, and begin a slice in which the whole source is going to be read."""
    destination = stream.open(run_id, begin=False)
    destination._run = RunIdentity(run_id, "shop", started=STARTED)
    if resumed:
        destination.adopt(run_id, STARTED)
    destination.begin_slice(atomic=False, whole=True)
    return destination


def ended(destination: SqlDestination, **told: Any) -> RunReport:
    """End the slice, and return the report."""
    report = RunReport(integration="shop", state="completed", **told)
    try:
        destination.finish(report, clear_resume=True)
    finally:
        destination.close()
    return report


def whole(stream: Stream, *batches: Batch, **told: Any) -> RunReport:
    """Read a whole source in a run of its own."""
    destination = begun(stream)
    for each in batches:
        destination.commit(Chunk([each]))
    return ended(destination, **told)


def telling(columns: str, *rows: Row, gone: Sequence[Deletion]) -> Batch:
    """Make a page with records that tell of deletions."""
    made = batch(columns, *rows)
    made.page = replace(made.page, deletions=gone)
    return made


def gone(*key: Any, version: Any = None) -> Deletion:
    """Make a record that tells of a deletion."""
    return Deletion({"id": key[0]}, key, version)


def seen_tables(stream: Stream) -> list[str]:
    """Return the tables in which keys are noted."""
    names = inspect(stream.database).get_table_names()
    return [name for name in names if name.startswith("_astrio_seen")]


class VanishingContract(StreamContract):
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, vanished={"rows": "mark", "most": "50%"})
        whole(stream, batch("id name", *PEOPLE))
        yield stream
        stream.close()

    @pytest.fixture
    def deleting(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, vanished={"rows": "delete", "most": "50%"})
        whole(stream, batch("id name", *PEOPLE))
        yield stream
        stream.close()

    # What is not met.

    def test_rows_that_are_not_met_are_marked_with_the_run_s_start(self, stream: Stream) -> None:
        report = whole(stream, batch("id name", *PEOPLE[2:]))
        assert report.records.deleted == 2
        assert report.warnings == []
        assert stream.rows(MARKED) == [(1,), (2,)]
        marked = stream.rows("SELECT DISTINCT _astrio_deleted_at FROM orders ORDER BY 1")
        (at,) = [each for (each,) in marked if each is not None]
        read = datetime.fromisoformat(at) if isinstance(at, str) else at
        assert (read if read.tzinfo else read.replace(tzinfo=UTC)) == STARTED

    def test_a_marked_row_is_left_alone_by_the_next_run(self, stream: Stream) -> None:
        whole(stream, batch("id name", *PEOPLE[2:]))
        assert whole(stream, batch("id name", *PEOPLE[2:])).records.deleted == 0

    def test_a_row_that_comes_back_is_marked_no_more_and_counts_as_written(
        self, stream: Stream
    ) -> None:
        whole(stream, batch("id name", *PEOPLE[2:]))
        written = stream.write("id name", *PEOPLE)
        assert (written.written, written.unchanged) == (2, 8)
        assert stream.rows(MARKED) == []

    def test_a_row_that_comes_back_is_cleared_though_the_file_asks_for_marks_no_more(
        self, stream: Stream, url: str
    ) -> None:
        whole(stream, batch("id name", *PEOPLE[2:]))
        other = Stream(url)
        assert other.write("id name", *PEOPLE).written == 2
        assert other.rows(MARKED) == []
        other.close()

    def test_rows_that_are_not_met_are_deleted(self, deleting: Stream) -> None:
        report = whole(deleting, batch("id name", *PEOPLE[2:]))
        assert report.records.deleted == 2
        assert deleting.rows("SELECT id FROM orders ORDER BY id") == [
            (each,) for each in range(3, 11)
        ]
        assert deleting.columns() == ["id", "name"]

    def test_a_table_of_before_gets_the_column(self, url: str) -> None:
        stream = Stream(url, vanished="mark")
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, name VARCHAR(20))")
        stream.execute(*(f"INSERT INTO orders VALUES ({each}, 'x')" for each in range(10)))
        assert whole(stream, batch("id", *[(each,) for each in range(1, 10)])).records.deleted == 1
        assert stream.rows(MARKED) == [(0,)]
        stream.close()

    def test_nothing_is_noted_where_nothing_can_vanish(self, url: str) -> None:
        stream = Stream(url, vanished="delete")
        destination = begun(stream)
        destination.commit(Chunk([batch("id name", (1, "Ann"))]))
        assert seen_tables(stream) == []
        assert ended(destination).records.deleted == 0
        stream.close()

    def test_the_table_of_keys_is_gone_at_the_end(self, stream: Stream) -> None:
        destination = begun(stream)
        assert len(seen_tables(stream)) == 1
        destination.commit(Chunk([batch("id name", *PEOPLE)]))
        ended(destination)
        assert seen_tables(stream) == []

    def test_one_that_a_killed_run_has_left_goes_with_the_setting(
        self, stream: Stream, url: str
    ) -> None:
        begun(stream).close()
        other = Stream(url)
        other.write("id name", (1, "Ann"))
        assert seen_tables(other) == []
        other.close()

    # What is there, though it is not written.

    def test_the_row_of_a_rejected_record_stays(self, stream: Stream) -> None:
        page = batch("id name", *PEOPLE[1:], rejects=[rejected({"id": 1}, (1,))])
        assert whole(stream, page).records.deleted == 0

    def test_a_rejected_record_without_a_key_may_be_any(self, stream: Stream) -> None:
        page = batch("id name", *PEOPLE[2:], rejects=[rejected({"name": "?"})])
        report = whole(stream, page)
        assert report.records.deleted == 0
        assert report.warnings == [
            "Rows that have vanished were not looked for: a record was rejected whose key is "
            "not known."
        ]

    def test_a_row_with_an_empty_key_may_be_any(self, stream: Stream) -> None:
        report = whole(stream, batch("id name", *PEOPLE[2:], (None, "x")))
        assert (report.records.deleted, len(report.warnings)) == (0, 1)

    def test_a_row_that_cannot_be_stored_stays(self, stream: Stream) -> None:
        report = whole(stream, batch("id name", *PEOPLE[1:], (1, "nul \0")))
        assert report.records.deleted == 0

    # How many.

    def test_more_than_the_file_allows_fail_the_run_and_stay(self, stream: Stream) -> None:
        destination = begun(stream)
        destination.commit(Chunk([batch("id name", *PEOPLE[6:])]))
        report = RunReport(integration="shop")
        with pytest.raises(TooManyVanishedError, match=r"6 of 10 rows of orders.*50%.*None was"):
            destination.finish(report, clear_resume=True)
        destination.abandon(report, clear_resume=True)
        destination.close()
        assert stream.rows(MARKED) == []
        assert seen_tables(stream) == []

    def test_an_empty_answer_never_empties_the_table(self, url: str) -> None:
        stream = Stream(url, vanished={"rows": "delete", "most": "100%"})
        whole(stream, batch("id name", *PEOPLE))
        with pytest.raises(TooManyVanishedError, match="all 10 rows"):
            whole(stream, batch("id name"))
        assert len(stream.rows()) == 10
        stream.close()

    @pytest.mark.parametrize(("most", "fails"), [(1, True), (2, False), ("19%", True)])
    def test_how_many_is_a_count_or_a_share(self, url: str, most: Any, fails: bool) -> None:
        stream = Stream(url, vanished={"rows": "delete", "most": most})
        whole(stream, batch("id name", *PEOPLE))
        if fails:
            with pytest.raises(TooManyVanishedError):
                whole(stream, batch("id name", *PEOPLE[2:]))
        else:
            whole(stream, batch("id name", *PEOPLE[2:]))
        assert len(stream.rows()) == (10 if fails else 8)
        stream.close()

    def test_the_share_is_one_of_the_rows_that_are_not_marked(self, stream: Stream) -> None:
        whole(stream, batch("id name", *PEOPLE[5:]))
        with pytest.raises(TooManyVanishedError, match="3 of 5"):
            whole(stream, batch("id name", *PEOPLE[8:]))

    # Which runs can tell.

    def test_a_run_that_reads_a_part_concludes_nothing(self, stream: Stream) -> None:
        stream.write("id name", PEOPLE[0])
        assert stream.rows(MARKED) == []

    @pytest.mark.parametrize(
        "told", [{"stop_reason": "limit"}, {"parents": Parents(read=3, missing=1)}]
    )
    def test_a_run_that_was_cut_short_concludes_nothing(
        self, stream: Stream, told: dict[str, Any]
    ) -> None:
        report = whole(stream, batch("id name", *PEOPLE[2:]), **told)
        assert (report.records.deleted, len(report.warnings)) == (0, 1)
        assert stream.rows(MARKED) == []

    def test_a_resumed_run_knows_what_it_met_before(self, stream: Stream) -> None:
        first = begun(stream)
        first.commit(Chunk([batch("id name", *PEOPLE[1:6])]))
        first.close()
        second = begun(stream, resumed=True)
        second.commit(Chunk([batch("id name", *PEOPLE[6:])]))
        assert ended(second).records.deleted == 1
        assert stream.rows(MARKED) == [(1,)]

    def test_a_run_that_begins_anew_forgets_what_another_met(self, stream: Stream) -> None:
        first = begun(stream, "first")
        first.commit(Chunk([batch("id name", *PEOPLE[:5])]))
        first.close()
        second = begun(stream, "second")
        second.commit(Chunk([batch("id name", *PEOPLE[5:])]))
        assert ended(second).records.deleted == 5

    def test_a_chunk_that_is_rolled_back_was_not_met(self, stream: Stream) -> None:
        destination = begun(stream)
        with pytest.raises(ZeroDivisionError):
            destination.commit(Chunk([batch("id name", PEOPLE[0])], resume=lambda _: {"x": 1 // 0}))
        destination.commit(Chunk([batch("id name", *PEOPLE[1:])]))
        assert ended(destination).records.deleted == 1

    def test_a_resumed_run_that_was_begun_without_concludes_nothing(
        self, stream: Stream, url: str
    ) -> None:
        other = Stream(url)
        first = other.open("run")
        first.commit(Chunk([batch("id name", *PEOPLE[:5])]))
        other.close()
        second = begun(stream, resumed=True)
        second.commit(Chunk([batch("id name", *PEOPLE[6:])]))
        report = ended(second)
        assert (report.records.deleted, len(report.warnings)) == (0, 1)

    def test_a_reading_that_starts_again_forgets_the_first(self, stream: Stream) -> None:
        destination = begun(stream)
        destination.commit(Chunk([batch("id name", *PEOPLE)]))
        again = batch("id name", *PEOPLE[2:])
        again.page = replace(again.page, restart=True)
        destination.commit(Chunk([again]))
        assert ended(destination).records.deleted == 2

    def test_keys_that_somebody_has_removed_conclude_nothing(self, stream: Stream) -> None:
        destination = begun(stream)
        (name,) = seen_tables(stream)
        stream.execute(f"DROP TABLE {name}")
        destination.commit(Chunk([batch("id name", *PEOPLE[2:])]))
        destination.close()
        resumed = begun(stream, resumed=True)
        report = ended(resumed)
        assert (report.records.deleted, len(report.warnings)) == (0, 1)

    def test_a_table_that_another_integration_writes_to_is_refused(
        self, stream: Stream, url: str
    ) -> None:
        stream.execute(
            "INSERT INTO _astrio_checkpoint (stream, integration, updated_at) "
            "VALUES ('crm:orders', 'crm', '2026-01-01')"
        )
        with pytest.raises(ConfigurationError, match="crm pushes to the table orders, too"):
            whole(stream, batch("id name", *PEOPLE))

    # Keys.

    def test_a_key_may_have_several_fields_of_any_name(self, url: str) -> None:
        stream = Stream(url, key=["shop.id", 'a "b" %'], vanished={"rows": "delete", "most": 1})
        columns = ("shop.id", 'a "b" %', "n")
        rows = [(1, "x", 0), (1, "y", 0), (2, "x", 0)]
        for some in (rows, rows[1:]):
            destination = begun(stream)
            made = batch("", ())
            made.columns, made.rows, made.sources = columns, some, some
            destination.commit(Chunk([made]))
            ended(destination)
        assert sorted(stream.rows("SELECT * FROM orders")) == rows[1:]
        stream.close()

    def test_a_key_that_becomes_a_text_meanwhile_is_still_met(self, stream: Stream) -> None:
        destination = begun(stream)
        destination.commit(Chunk([batch("id name", *PEOPLE[1:5])]))
        destination.commit(Chunk([batch("id name", *PEOPLE[5:], ("x", "new"))]))
        assert ended(destination).records.deleted == 1
        assert stream.rows(MARKED) == [("1",)]

    def test_a_rejected_key_that_no_row_can_have_does_no_harm(self, stream: Stream) -> None:
        rejects = [rejected({}, (key,)) for key in ("x", 10**30, "\0", 1)]
        assert whole(stream, batch("id name", *PEOPLE[1:], rejects=rejects)).records.deleted == 0

    # Records that tell of a deletion.

    @pytest.mark.parametrize("rows", ["mark", "delete"])
    def test_a_record_that_tells_of_a_deletion_lets_its_row_go(self, url: str, rows: str) -> None:
        stream = Stream(url, deleted={"when": "gone", "rows": rows})
        stream.write("id name", *PEOPLE)
        written = self.told(stream, telling("id name", (1, "new"), gone=[gone(2), gone(77)]))
        assert (written.written, written.unchanged, written.deleted) == (2, 1, 1)
        query = SHOWN if rows == "mark" else "SELECT id FROM orders ORDER BY id"
        assert stream.rows(query) == [(each,) for each in (1, *range(3, 11))]
        stream.close()

    def test_one_that_is_told_again_is_unchanged(self, url: str) -> None:
        stream = Stream(url, deleted="gone")
        stream.write("id name", *PEOPLE)
        self.told(stream, telling("id name", gone=[gone(2)]))
        written = self.told(stream, telling("", gone=[gone(2)]))
        assert (written.written, written.unchanged, written.deleted) == (0, 1, 0)
        stream.close()

    def test_pages_take_effect_in_their_order(self, url: str) -> None:
        stream = Stream(url, deleted="gone")
        pages = [
            batch("id name", (1, "a"), (2, "b")),
            telling("id name", gone=[gone(1), gone(2)]),
            batch("id name", (1, "back")),
        ]
        written = self.told(stream, *pages)
        assert (written.written, written.deleted) == (5, 2)
        assert stream.rows(SHOWN) == [(1,)]
        stream.close()

    def test_a_deletion_of_a_table_that_is_not_there_is_unchanged(self, url: str) -> None:
        stream = Stream(url, deleted="gone")
        assert self.told(stream, telling("", gone=[gone(1)])).unchanged == 1
        stream.close()

    def test_a_deletion_that_is_older_than_the_row_is_passed_over(self, url: str) -> None:
        stream = Stream(url, version="n", deleted="gone")
        stream.write("id n", (1, 5), (2, 5), (3, None), (4, 5))
        told = [gone(1, version=4), gone(2, version=6), gone(3), gone(4)]
        assert self.told(stream, telling("id n", gone=told)).deleted == 2
        assert stream.rows(MARKED) == [(2,), (3,)]
        stream.write("id n", (2, 5))  # older than the deletion
        assert stream.rows(MARKED) == [(2,), (3,)]
        stream.write("id n", (2, 7))
        assert stream.rows(MARKED) == [(3,)]
        stream.close()

    @pytest.mark.parametrize("at", [datetime(2026, 2, 1, tzinfo=UTC), date(2026, 2, 1)])
    def test_deletions_are_compared_with_rows_by_the_time(self, url: str, at: Any) -> None:
        stream = Stream(url, version="at", deleted="gone")
        stream.write("id at", (1, at), (2, at))
        told = [gone(1, version=at - timedelta(days=1)), gone(2, version=at + timedelta(days=1))]
        assert self.told(stream, telling("id at", gone=told)).deleted == 1
        assert stream.rows(MARKED) == [(2,)]
        stream.close()

    @pytest.mark.parametrize("version", ["b", object(), {"a": 1}])
    def test_a_deletion_whose_version_cannot_be_compared_is_passed_over(
        self, url: str, version: Any
    ) -> None:
        stream = Stream(url, version="n", deleted="gone")
        stream.write("id n", (1, 5))
        assert self.told(stream, telling("id n", gone=[gone(1, version=version)])).unchanged == 1
        stream.close()

    @pytest.mark.parametrize("key", ["x", 10**30, "\0"])
    def test_a_deletion_of_a_key_that_no_row_can_have_is_unchanged(
        self, url: str, key: Any
    ) -> None:
        stream = Stream(url, deleted="gone")
        stream.write("id name", *PEOPLE)
        assert self.told(stream, telling("id name", gone=[gone(key)])).unchanged == 1
        stream.close()

    def test_a_deletion_that_the_database_refuses_is_quarantined(self, url: str) -> None:
        stream = Stream(url, deleted={"when": "gone", "rows": "delete"})
        stream.write("id name", *PEOPLE)
        stream.execute(*self.guarded("orders"))
        written = self.told(stream, telling("id name", gone=[gone(1), gone(2)]))
        assert (written.deleted, [each.key for each in written.failed]) == (1, [(1,)])
        (reason,) = stream.rows("SELECT reason FROM _astrio_quarantine")
        assert reason[0].startswith("the database refuses the deletion: ")
        stream.close()

    def test_a_deletion_resolves_what_was_quarantined(self, url: str) -> None:
        stream = Stream(url, deleted="gone")
        destination = stream.open()
        destination.commit(Chunk([batch("id name", rejects=[rejected({"id": 1}, (1,))])]))
        destination.commit(Chunk([telling("id name", gone=[gone(1)])]))
        assert stream.rows("SELECT state FROM _astrio_quarantine") == [("resolved",)]
        stream.close()

    # Dry runs.

    @pytest.mark.parametrize("rows", ["mark", "delete"])
    def test_a_dry_run_foretells_what_would_go(self, url: str, rows: Any) -> None:
        stream = Stream(url, vanished=rows, deleted={"when": "gone", "rows": rows})
        whole(stream, batch("id name", *PEOPLE))
        page = telling("id name", *PEOPLE[1:8], (10, "x"), (11, "y"), gone=[gone(9)])
        with dry_run(stream, whole=True) as destination:
            report = RunReport(integration="shop", state="completed", records=Records())
            written = destination.commit(Chunk([page]))
            report.records.unchanged = written.unchanged
            destination.finish(report, clear_resume=True)
        found = report.difference
        assert found is not None
        assert (found.new, found.changed, found.unchanged, found.removed) == (1, 1, 7, 2)
        assert len(stream.rows(SHOWN if rows == "mark" else "SELECT id FROM orders")) == 10
        real = begun(stream)
        assert real.commit(Chunk([page])).deleted == 1
        assert ended(real).records.deleted == 1
        assert seen_tables(stream) == []
        stream.close()

    def guarded(self, table: str) -> list[str]:
        """Return statements after which the row of the key 1 cannot be deleted."""
        return [
            f"CREATE TABLE guard (of BIGINT REFERENCES {table} (id))",
            "INSERT INTO guard VALUES (1)",
        ]

    def told(self, stream: Stream, *pages: Batch) -> Written:
        """Write pages of a part of the source in a run of their own."""
        destination = stream.open()
        try:
            written = destination.commit(Chunk(pages))
            destination.finish(RunReport(integration="shop", state="completed"), clear_resume=True)
        finally:
            destination.close()
        return written
