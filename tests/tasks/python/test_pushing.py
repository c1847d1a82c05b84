"""What a function that pushes says of its records, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError, ConnectorError, RecordRejectedError
from astrio.tasks.connectors import PushContext, Rejected, RejectRecordError
from astrio.tasks.python.pushing import Pushing
from astrio.tasks.python.references import Target

RECORDS: list[dict[str, Any]] = [{"id": 1}, {"id": 2}]
CONTEXT = PushContext("chunk", "run", "items", now=datetime(2026, 1, 2, tzinfo=UTC))


def fates(function: Any, records: list[dict[str, Any]] = RECORDS) -> list[Any]:
    target = Target("crm:push", function, __file__, "connectors/crm.py, line 1")
    return Pushing(target, function, lambda _: None)(records, CONTEXT)


def returning(told: Any) -> list[Any]:
    return fates(lambda records, context: told)


def raising(error: BaseException, records: list[dict[str, Any]] = RECORDS) -> Any:
    def push(records: Any, context: Any) -> None:
        raise error

    with pytest.raises((ConnectorError, RejectRecordError)) as caught:
        fates(push, records)
    return caught.value


def test_nothing_said_is_all_written() -> None:
    assert returning(None) == ["written", "written"]


def test_each_record_has_a_fate_of_its_own() -> None:
    assert returning([None, "unchanged"]) == ["written", "unchanged"]
    assert returning(("written", Rejected("no", "id"))) == ["written", Rejected("no", "id")]
    refused = [RecordRejectedError("never"), RejectRecordError("not\nthis", field="id")]
    assert returning(refused) == [Rejected("never"), Rejected("not this", "id")]


@pytest.mark.parametrize("told", [5, "written", [None], [None, 7], {"a": 1}])
def test_what_says_nothing_of_the_records_is_an_error(told: Any) -> None:
    with pytest.raises(ConnectorError) as caught:
        returning(told)
    assert "connectors/crm.py, line 1" in caught.value.message
    assert "Rejected(reason)" in caught.value.advice


@pytest.mark.parametrize("record", [1, RECORDS[1]])
def test_a_refused_record_is_found_by_itself_or_by_its_place(record: Any) -> None:
    error = raising(RejectRecordError("no", record=record, field="id"))
    assert (error.place, error.message, error.field) == (1, "no", "id")


def test_of_one_record_it_need_not_be_told_which() -> None:
    assert raising(RecordRejectedError("no"), RECORDS[:1]).place == 0


@pytest.mark.parametrize("record", [None, 7, {"id": 2}])
def test_of_several_it_must_be_told_which(record: Any) -> None:
    error = raising(RejectRecordError("no", record=record))
    assert isinstance(error, ConnectorError)
    assert "for none of the 2 records" in error.message


def test_an_exception_is_told_by_its_kind_and_not_by_its_text() -> None:
    error = raising(KeyError("ada@example.com"))
    assert "took none of 2 records: it fails with KeyError" in error.message
    assert "ada@" not in error.message
    assert isinstance(raising(SystemExit(3)), ConnectorError)


def test_the_context_reads_secrets_and_writes_into_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CRM_KEY", "canary-value-1")
    assert CONTEXT.secret("${env:CRM_KEY}") == "canary-value-1"
    with pytest.raises(ConfigurationError):
        CONTEXT.secret("canary-value-1")
    assert CONTEXT.logger.name == "prefect.task_runs"
    with caplog.at_level("INFO", CONTEXT.logger.name):
        CONTEXT.note("the key is canary-value-1")
    assert "canary" not in caplog.text
    assert "the key is" in caplog.text
