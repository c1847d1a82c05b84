"""How every SQL destination keeps rejected records: encrypted, and not for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from tests.contracts.stream import Stream, StreamContract, batch, rejected

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.batch import Problem, Reject
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows
from astrio.tasks.destinations.settings import QuarantineSettings
from astrio.tasks.ledger.sealing import VARIABLE
from astrio.tasks.report import RunReport

ONE, OTHER = (Fernet.generate_key().decode() for _ in range(2))
START = datetime(2026, 3, 1, tzinfo=UTC)


def deep(levels: int) -> Any:
    value: Any = "secret"
    for _ in range(levels):
        value = [value]
    return value


def quarantine(stream: Stream, *rejects: Reject, days: int = 0, **keeping: Any) -> RunReport:
    """Put rejects into the quarantine in a run of their own, so many days after the first."""
    settings = QuarantineSettings(**keeping)
    destination = stream.open(clock=lambda: START + timedelta(days=days), keeping=settings)
    try:
        destination.commit(Chunk([batch("id", rejects=rejects)]))
        report = RunReport(integration="shop", state="completed")
        destination.finish(report, clear_resume=True)
    finally:
        destination.close()
    return report


def shown(stream: Stream) -> list[dict[str, Any]]:
    """Return every row in full."""
    numbers = [row["id"] for row in quarantine_rows(stream.push, "shop", None)]
    return quarantine_records(stream.push, "shop", numbers)


class KeepingContract(StreamContract):
    """Inherited by `DestinationContract`."""

    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, ONE)

    # Encryption.

    def test_record_and_problems_are_encrypted(self, stream: Stream) -> None:
        problems = [Problem("age", "min", "too young"), Problem("mail", "x", "canary-2")]
        quarantine(stream, Reject({"id": 7, "mail": "canary-1"}, problems, (7,)))
        stored = str(stream.rows("SELECT * FROM _astrio_quarantine"))
        assert "canary" not in stored
        assert "too young" in stored
        (row,) = shown(stream)
        assert row["record"] == {"id": 7, "mail": "canary-1"}
        assert [each["reason"] for each in row["problems"]] == ["too young", "canary-2"]

    def test_a_record_of_another_key_is_listed_and_says_which_variable_to_set(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quarantine(stream, rejected({"id": 7}, (7,), "too young"))
        monkeypatch.setenv(VARIABLE, OTHER)
        assert [row["key"] for row in quarantine_rows(stream.push, "shop")] == ["7"]
        (row,) = shown(stream)
        assert row["record"] is None
        assert row["problems"] == [{"field": "age", "rule": "min", "reason": "too young"}]
        assert VARIABLE in row["missing"]
        monkeypatch.setenv(VARIABLE, f"{OTHER},{ONE}")
        assert shown(stream)[0]["record"] == {"id": 7}

    def test_without_a_usable_key_nothing_of_the_chunk_is_written(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(VARIABLE, "no key")
        destination = stream.open()
        with pytest.raises(ConfigurationError, match="no usable key"):
            destination.commit(Chunk([batch("id", (1,), rejects=[rejected({"id": 7})])]))
        destination.commit(Chunk([batch("id", (2,))]))
        assert stream.rows() == [(2,)]

    def test_a_record_without_a_key_is_known_again_after_a_key_was_added(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quarantine(stream, rejected({"b": 1, "a": 2}))
        monkeypatch.setenv(VARIABLE, f"{OTHER},{ONE}")
        quarantine(stream, rejected({"a": 2, "b": 1}))
        assert [row["seen"] for row in quarantine_rows(stream.push, "shop")] == [2]

    def test_what_an_earlier_version_kept_in_clear_can_be_read(self, stream: Stream) -> None:
        quarantine(stream, rejected({"id": 7}, (7,)), rejected({"id": 8}, (8,)))
        record, problems = json.dumps({"id": 7}), json.dumps([{"reason": "old"}])
        stream.execute(
            f"UPDATE _astrio_quarantine SET record = '{record}', problems = '{problems}'",
            "UPDATE _astrio_quarantine SET state = 'resolved', closed_at = NULL "
            "WHERE \"key\" = '8'",
            "UPDATE _astrio_version SET version = 2",
            stream.dropped_index("_astrio_quarantine_closed", "_astrio_quarantine"),
            *(
                f"ALTER TABLE _astrio_quarantine DROP COLUMN {name}"
                for name in ("mapping", "started", "note", "closed_at")
            ),
        )
        row, resolved = shown(stream)
        assert (row["record"], row["problems"]) == ({"id": 7}, [{"reason": "old"}])
        assert resolved["closed_at"] == resolved["last_seen"]

    @pytest.mark.parametrize("record", [deep(100_000), {1: deep(5000)}, [10**5000, 1.5, None]])
    def test_a_record_that_cannot_be_kept_is_told(self, stream: Stream, record: Any) -> None:
        report = quarantine(stream, rejected(record), rejected([record]), rejected(record))
        assert [row["seen"] for row in quarantine_rows(stream.push, "shop")] == [2, 1]
        assert "3 rejected records are nested too deeply" in report.warnings[0]
        (row, _) = shown(stream)
        assert (row["record"], row["problems"][0]["rule"]) == (None, "min")
        assert "too deeply" in row["missing"]

    def test_values_that_are_no_json_are_kept_as_their_text(self, stream: Stream) -> None:
        record = {"at": START, "amount": Decimal("1.50"), "range": range(3)}
        quarantine(stream, rejected(record, (7,)))
        kept = {"at": "2026-03-01T00:00:00Z", "amount": "1.50", "range": "range(0, 3)"}
        assert shown(stream)[0]["record"] == kept

    # Retention.

    def test_open_records_are_kept_for_ever_unless_the_file_says_otherwise(
        self, stream: Stream
    ) -> None:
        quarantine(stream, rejected({"id": 7}, (7,)))
        assert quarantine(stream, days=5000).warnings == []
        assert shown(stream)[0]["record"] == {"id": 7}

    def test_records_that_were_not_seen_for_too_long_are_discarded_and_told(
        self, stream: Stream
    ) -> None:
        first, other = rejected({"id": 7}, (7,)), rejected({"id": 8}, (8,))
        quarantine(stream, first, other, keep="90d")
        assert quarantine(stream, other, days=90, keep="90d").warnings == []
        (told,) = quarantine(stream, days=91, keep="90d").warnings
        assert "1 rejected records were last seen more than 90d ago" in told
        (row,) = quarantine_rows(stream.push, "shop", "discarded")
        assert row["key"] == "7"
        assert [row["note"] for row in shown(stream)] == ["not mended within 90d", None]

    def test_the_content_of_closed_records_is_dropped_after_a_while(self, stream: Stream) -> None:
        quarantine(stream, rejected({"id": 7}, (7,), "too young"))
        destination = stream.open(clock=lambda: START)
        destination.commit(Chunk([batch("id", (7,))]))
        destination.close()
        quarantine(stream, days=6)
        assert shown(stream)[0]["record"] == {"id": 7}
        quarantine(stream, days=7)
        (row,) = shown(stream)
        assert (row["record"], row["state"]) == (None, "resolved")
        assert "dropped" in row["missing"]
        assert [each["reason"] for each in row["problems"]] == ["too young"]
