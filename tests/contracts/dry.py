"""What is true of a dry run on every SQL destination; each database's test inherits this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.contracts.stream import Stream, StreamContract, batch

from astrio.blocks.errors import LeaseHeldError
from astrio.tasks.destinations.base import Chunk, RunIdentity
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.dry.destination import DryRun
from astrio.tasks.difference import ChangedRow
from astrio.tasks.report import RunReport


@contextmanager
def dry_run(
    stream: Stream, examples: list[ChangedRow] | None = None, *, whole: bool = False
) -> Iterator[DryRun]:
    """Open a dry run of the stream, with a slice that has begun."""
    destination = DryRun(stream.push, "shop", examples=[] if examples is None else examples)
    destination.open(RunIdentity("dry", "shop"))
    try:
        destination.begin_slice(atomic=False, whole=whole)
        yield destination
    finally:
        destination.close()


def ended(destination: DryRun, *chunks: Chunk) -> RunReport:
    """Write the chunks, and return the report of the dry run's end."""
    report = RunReport(integration="shop", state="completed")
    for chunk in chunks:
        report.records.unchanged += destination.commit(chunk).unchanged
    destination.finish(report, clear_resume=True)
    return report


class DryRunContract(StreamContract):
    """Define a fixture `url`, as for `DestinationContract`."""

    def test_nothing_is_made_in_an_empty_database(self, stream: Stream) -> None:
        with dry_run(stream) as destination:
            report = ended(destination, Chunk([batch("id name", (1, "Ann"))]))
        assert report.difference is not None
        assert report.difference.table_created
        assert inspect(stream.database).get_table_names() == []

    def test_no_lease_is_left(self, stream: Stream) -> None:
        stream.write("id name", (1, "Ann"))
        with dry_run(stream) as destination:
            ended(destination, Chunk([batch("id name", (1, "Bob"))]))
        assert stream.rows("SELECT * FROM _astrio_lease") == []
        assert stream.rows() == [(1, "Ann")]

    def test_it_is_refused_beside_a_run(self, stream: Stream) -> None:
        stream.open()
        other = DryRun(stream.push, "shop", examples=[])
        with pytest.raises(LeaseHeldError):
            other.open(RunIdentity("dry", "shop"))
        other.close()

    def test_a_killed_one_leaves_nothing(self, stream: Stream) -> None:
        stream.write("id name", (1, "Ann"))
        with dry_run(stream) as destination:
            destination.commit(Chunk([batch("id name size", (1, "Bob", 2), (2, "Cid", 3))]))
            destination._connection.connection.driver_connection.close()  # type: ignore[union-attr] # a driver's own
        assert stream.rows() == [(1, "Ann")]
        assert stream.columns() == ["id", "name"]

    def test_rows_that_the_database_refuses_are_counted(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY, age BIGINT CHECK (age >= 18))")
        with dry_run(stream) as destination:
            written = destination.commit(Chunk([batch("id age", (1, 5), (2, 30))]))
        assert (written.written, len(written.failed)) == (1, 1)
        assert stream.rows() == []

    def test_a_key_of_several_columns_with_a_percent_sign_is_looked_up(self, url: str) -> None:
        stream = Stream(url, key=["shop%", "id"])
        stream.write("shop% id name", ("a", 1, "Ann"), ("b", 1, "Bob"))
        examples: list[ChangedRow] = []
        with dry_run(stream, examples) as destination:
            ended(destination, Chunk([batch("shop% id name", ("a", 1, "Ann"), ("b", 1, "Ben"))]))
        assert [each.key for each in examples] == [{"shop%": "b", "id": 1}]
        stream.close()

    @pytest.mark.parametrize("mode", ["upsert", "replace"])
    def test_values_of_every_kind_are_shown_as_json_holds_them(self, url: str, mode: Any) -> None:
        stream = Stream(url)
        stream.write("id a b c d", (1, 1.5, {"x": 1}, True, 10**30))
        stream.push = stream.push.model_copy(update={"mode": mode})
        assert isinstance(stream.push, PushSettings)
        examples: list[ChangedRow] = []
        with dry_run(stream, examples) as destination:
            ended(destination, Chunk([batch("id a b c d", (1, 2.5, {"x": 2}, False, 10**31))]))
        (row,) = examples
        assert row.fields.keys() == {"a", "b", "c", "d"}
        assert (row.fields["a"].before, row.fields["a"].after) == (1.5, 2.5)
        assert str(10**31) == str(row.fields["d"].after)
        assert ChangedRow.model_validate_json(row.model_dump_json()) == row
        stream.close()
