"""What every SQL destination keeps of rejected records."""

from __future__ import annotations

import pytest
from tests.contracts.stream import Stream, StreamContract, batch, rejected

from astrio.blocks.errors import (
    ConfigurationError,
)
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    quarantine_records,
    quarantine_rows,
)
from astrio.tasks.report import RunReport


class QuarantineContract(StreamContract):
    """Inherited by `DestinationContract`."""

    # Quarantine.

    def test_a_rejected_record_is_listed_with_the_contracts_keys(self, stream: Stream) -> None:
        record = {"id": 7, "age": 3}
        reject = rejected(record, (7,), "too young", "too small")
        stream.open("run-9").commit(Chunk([batch("id", rejects=[reject])]))
        (row,) = quarantine_rows(stream.push, "shop")
        assert list(row) == [
            *("id", "integration", "key", "field", "rule", "reason"),
            *("run", "first_seen", "seen", "state"),
        ]
        assert row == row | {
            "integration": "shop",
            "key": "7",
            "field": "age",
            "rule": "min",
            "reason": "too young",
            "run": "run-9",
            "seen": 1,
            "state": "open",
        }

    def test_a_record_is_shown_with_its_source_and_every_problem(self, stream: Stream) -> None:
        record = {"id": 7, "name": "Zoë \ud800 \0", "deep": [{"a": 10**30}]}
        reject = rejected(record, (7,), "too young", "too small")
        stream.open().commit(Chunk([batch("id", rejects=[reject])]))
        (row,) = quarantine_rows(stream.push, "shop")
        (shown,) = quarantine_records(stream.push, "shop", [row["id"]])
        assert shown["record"] == record
        assert [problem["reason"] for problem in shown["problems"]] == ["too young", "too small"]
        assert {name: shown[name] for name in row} == row

    def test_an_unknown_record_is_told(self, stream: Stream) -> None:
        with pytest.raises(ConfigurationError, match="no record 99"):
            quarantine_records(stream.push, "shop", [99])

    def test_a_record_that_comes_again_keeps_one_open_row(self, stream: Stream) -> None:
        for run_id, age in (("a", 1), ("b", 2)):
            destination = stream.open(run_id)
            rejects = [rejected({"id": 7, "age": age}, (7,)), rejected({"no": "key"})]
            destination.commit(Chunk([batch("id", rejects=rejects)]))
            destination.close()
        rows = quarantine_rows(stream.push, "shop")
        assert [(row["key"], row["seen"], row["run"]) for row in rows] == [
            ("7", 2, "b"),
            (None, 2, "b"),
        ]
        (shown,) = quarantine_records(stream.push, "shop", [rows[0]["id"]])
        assert shown["record"] == {"id": 7, "age": 2}

    def test_a_row_of_the_quarantine_is_resolved_when_its_key_is_written(
        self, stream: Stream
    ) -> None:
        destination = stream.open()
        rejects = [rejected({"id": key}, (key,)) for key in (7, 8)]
        destination.commit(Chunk([batch("id", rejects=rejects)]))
        destination.commit(Chunk([batch("id", (7,))]))
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["8"]
        (resolved,) = quarantine_rows(stream.push, "shop", "resolved")
        assert resolved["key"] == "7"
        assert len(quarantine_rows(stream.push, "shop", None)) == 2
        destination.close()
        stream.write("id", (8,))
        assert quarantine_rows(stream.push, "shop") == []

    def test_a_resolved_record_that_is_rejected_again_opens_a_new_row(self, stream: Stream) -> None:
        destination = stream.open()
        for chunk in (batch("id", rejects=[rejected({}, (7,))]), batch("id", (7,))) * 2:
            destination.commit(Chunk([chunk]))
        states = [row["state"] for row in quarantine_rows(stream.push, "shop", None)]
        assert states == ["resolved", "resolved"]

    def test_a_record_written_and_rejected_at_once_stays_open_until_the_next_time(
        self, stream: Stream
    ) -> None:
        destination, reject = stream.open(), rejected({}, (7,))
        destination.commit(Chunk([batch("id", rejects=[reject])]))
        destination.commit(Chunk([batch("id", (7,), rejects=[reject])]))
        assert len(quarantine_rows(stream.push, "shop")) == 1
        destination.commit(Chunk([batch("id", (7,))]))
        assert quarantine_rows(stream.push, "shop") == []

    def test_what_an_abandoned_slice_resolved_is_open_again(self, stream: Stream) -> None:
        destination = stream.open()
        destination.commit(Chunk([batch("id", rejects=[rejected({}, (7,))])]))
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (7,))]))
        destination.abandon()
        assert len(quarantine_rows(stream.push, "shop")) == 1
        destination.begin_slice(atomic=True)
        destination.commit(Chunk([batch("id", (7,))]))
        destination.finish(RunReport(integration="shop"), clear_resume=True)
        assert quarantine_rows(stream.push, "shop") == []

    def test_a_row_that_the_database_refuses_is_not_resolved(self, stream: Stream) -> None:
        stream.execute("CREATE TABLE orders (id BIGINT PRIMARY KEY CHECK (id < 5))")
        destination = stream.open()
        destination.commit(Chunk([batch("id", (7,))]))
        destination.commit(Chunk([batch("id", (7,))]))
        (row,) = quarantine_rows(stream.push, "shop")
        assert (row["key"], row["seen"]) == ("7", 2)

    def test_a_key_of_several_fields_shows_as_a_list(self, stream: Stream) -> None:
        stream.push = stream.push.model_copy(update={"key": ("id", "line")})
        destination = stream.open()
        rejects = [rejected({"x": n}, key) for n, key in enumerate([(1, "é"), (2, None)])]
        destination.commit(Chunk([batch("id line", rejects=rejects)]))
        keys = [row["key"] for row in quarantine_rows(stream.push, "shop")]
        assert keys == ['[1,"é"]', None]
        destination.commit(Chunk([batch("id line", (1, "é"))]))
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == [None]
