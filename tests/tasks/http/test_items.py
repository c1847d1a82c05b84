from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.items import ItemsSettings, split_items
from astrio.tasks.mapping.context import MappingContext

NOW = MappingContext(datetime(2026, 1, 1, tzinfo=UTC))
SENT = [{"email": "a"}, {"email": "b"}, {"email": "c"}]
MIXPANEL = {"path": "failed_records", "index": "index", "message": "message"}
MAILCHIMP = {"path": "errors", "key": "email_address", "sent_key": "email", "message": "error"}
MULTI_STATUS = {"path": "$", "ok": "status < 300", "message": "detail"}
KEYED = {"path": "results", "ok": "ok", "key": "email"}


def split(settings: dict[str, Any], status: int, body: Any) -> list[tuple[str, str]]:
    found = split_items(ItemsSettings.model_validate(settings), status, body, SENT, NOW)
    return [(each.state, each.message) for each in found]


OK = ("ok", "")


@pytest.mark.parametrize(
    ("settings", "status", "body", "outcomes"),
    [
        (MIXPANEL, 400, {"failed_records": [{"index": 1, "message": "bad"}]},
         [OK, ("failed", "bad"), OK]),
        (MIXPANEL, 400, {"failed_records": [{"index": "2"}, {"index": 2, "message": "x"}]},
         [OK, OK, ("failed", "")]),
        (MIXPANEL, 200, {"code": 200}, [OK, OK, OK]),
        (MAILCHIMP, 200, {"errors": [{"email_address": "c", "error": "no"}]},
         [OK, OK, ("failed", "no")]),
        (MAILCHIMP, 200, {"errors": []}, [OK, OK, OK]),
        (MULTI_STATUS, 207, [{"status": 201}, {"status": 400, "detail": "no"}, {"status": "x"}],
         [OK, ("failed", "no"), ("unknown", ...)]),
        (KEYED, 200, {"results": [{"email": "b", "ok": True}, {"email": "a", "ok": False}]},
         [("failed", ""), OK, ("unknown", "")]),
    ],
)  # fmt: skip
def test_each_item_has_its_outcome(
    settings: dict[str, Any], status: int, body: Any, outcomes: list[Any]
) -> None:
    found = split(settings, status, body)
    assert [each[0] for each in found] == [each[0] for each in outcomes]
    assert all(want[1] in (got[1], ...) for got, want in zip(found, outcomes, strict=True))


@pytest.mark.parametrize(
    ("settings", "status", "body", "message"),
    [
        (MIXPANEL, 400, {"error": "bad project"}, "400 without a list at failed_records"),
        (MIXPANEL, 400, {"failed_records": {"a": 1}}, "an object with the keys a"),
        (MIXPANEL, 400, {"failed_records": [{"index": 3}]}, "names no item that was sent"),
        (MIXPANEL, 400, {"failed_records": [{"index": -1}]}, "names no item"),
        (MIXPANEL, 400, {"failed_records": [{"index": True}]}, "names no item"),
        (MAILCHIMP, 200, {"errors": [{"email_address": "z"}]}, "names no item"),
        (MAILCHIMP, 200, {"errors": [{}]}, "names no item"),
        (MULTI_STATUS, 207, [{"status": 201}], "1 outcomes for 3 items"),
        (KEYED, 200, {}, "200 without a list"),
    ],
)
def test_an_answer_that_cannot_be_told_apart_is_an_error(
    settings: dict[str, Any], status: int, body: Any, message: str
) -> None:
    with pytest.raises(ApiAnswerError, match=message):
        split(settings, status, body)


@pytest.mark.parametrize(
    "settings", [{"path": "a"}, {"path": "a", "index": "i", "key": "k"}, {"path": "a", "x": 1}]
)
def test_settings_that_tell_nothing_apart_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ItemsSettings.model_validate(settings)


@given(st.sets(st.integers(0, 2)))
def test_exactly_the_listed_items_have_failed(places: set[int]) -> None:
    found = split(MIXPANEL, 400, {"failed_records": [{"index": each} for each in places]})
    assert {place for place, each in enumerate(found) if each[0] == "failed"} == places
