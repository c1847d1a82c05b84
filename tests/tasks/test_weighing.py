"""What records weigh that did not come as bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from astrio.tasks.weighing import weight, weights


def test_a_record_weighs_what_its_json_does() -> None:
    record = {"id": 1, "text": "é" * 1000, "more": [{"a": None}]}
    assert weight(record) == len('{"id":1,"text":"","more":[{"a":null}]}') + 2000
    assert weights([record, record]) == 2 * weight(record)


@pytest.mark.parametrize(
    "value", [object(), 10**40, "\ud800", Decimal(1), datetime.now(UTC), b"x", {1, 2}]
)
def test_a_record_that_is_no_json_is_weighed_all_the_same(value: Any) -> None:
    assert 10_000 < weight({"value": value, "text": "x" * 10_000}) < 15_000


def test_nothing_that_recurs_for_ever_is_followed_for_ever() -> None:
    record: dict[str, Any] = {}
    record["self"] = record
    assert weight(record) > 0
    assert weight([]) > 0
