"""Events become records: every one is accounted for, and none has its effect twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.batch import Page
from astrio.tasks.mapping.compile import MappingContext, compile_expression
from astrio.tasks.webhooks.bodies import decode_event
from astrio.tasks.webhooks.inbox.event import Event, State
from astrio.tasks.webhooks.receiving import PAGE_EVENTS, EventPages, EventReading

AT = datetime(2026, 1, 2, tzinfo=UTC)
JSON = {"content-type": "application/json"}


def event(body: Any, name: str = "e1", **headers: str) -> Event:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    at = AT.timestamp()
    return Event(
        id=name,
        source="shop",
        delivery_id=None,
        state=State.STARTED,
        received_at=at,
        changed_at=at,
        due_at=at,
        attempts=1,
        replays=0,
        flow_run=None,
        done_by=(),
        error="",
        size=len(raw),
        headers=tuple({**JSON, **named}.items()),
        body=raw,
    )


async def pages_of(events: Sequence[Event], had: Sequence[str] = (), **reading: Any) -> list[Page]:
    async def effects(asked: Sequence[str]) -> set[str]:
        return set(asked) & set(had)

    pages = EventPages(events, EventReading(**reading), effects).pages(None)
    return [page async for page in pages]


async def only(*events: Event, **reading: Any) -> Page:
    (page,) = await pages_of(events, **reading)
    return page


async def test_the_body_is_the_record() -> None:
    page = await only(event({"id": 1}), event({"id": 2}, "e2"))
    assert page.records == [{"id": 1}, {"id": 2}]
    assert (page.fetched, page.effects, page.stop_reason) == (2, ["e1", "e2"], "no_next")


async def test_a_body_that_is_a_list_holds_a_record_in_each_element() -> None:
    assert (await only(event([{"id": 1}, {"id": 2}]))).fetched == 2


@pytest.mark.parametrize(
    ("path", "body", "records"),
    [
        ("data.object", {"data": {"object": {"id": 1}}}, [{"id": 1}]),
        ("$.items", {"items": [{"id": 1}, {"id": 2}]}, [{"id": 1}, {"id": 2}]),
        ("$.items[*]", {"items": [{"id": 1}]}, [{"id": 1}]),
        ("$.items[*]", {"items": []}, []),
    ],
)
async def test_records_may_lie_within_the_body(path: str, body: Any, records: list[Any]) -> None:
    assert (await only(event(body), records=path)).records == records


@pytest.mark.parametrize("path", ["data.object", "$.items[*]"])
async def test_a_body_without_the_path_is_rejected_and_kept(path: str) -> None:
    page = await only(
        event({"other": 1}), event({"data": {"object": 1}, "items": [1]}, "e2"), records=path
    )
    (reject,) = page.rejects
    assert reject.record == {"other": 1}
    assert reject.problems[0].rule == "records"
    assert (page.fetched, page.records) == (2, [1])


@pytest.mark.parametrize("path", ["data.object", "$.items[*]"])
async def test_a_missing_path_may_mean_no_records(path: str) -> None:
    page = await only(event({"other": 1}), records=path, allow_missing=True)
    assert (page.fetched, page.records, page.rejects, page.effects) == (0, [], [], ["e1"])


async def test_a_body_that_cannot_be_read_is_rejected_whole_and_spoils_no_other() -> None:
    page = await only(event(b'{"id": NaN}'), event({"id": 2}, "e2"))
    (reject,) = page.rejects
    assert reject.record == {"event": "e1", "body": '{"id": NaN}'}
    assert "the event's body holds NaN" in reject.problems[0].reason
    assert (page.fetched, page.records) == (2, [{"id": 2}])


async def test_an_event_whose_body_was_purged_is_rejected() -> None:
    (reject,) = (await only(replace(event({}), body=None))).rejects
    assert reject.problems[0].reason == "the event's body has been purged"


async def test_an_event_that_has_had_its_effect_is_counted_and_not_read_again() -> None:
    (page,) = await pages_of([event({"id": 1}), event([1, 2], "e2")], had=["e2"])
    assert (page.fetched, page.known, page.records) == (3, 2, [{"id": 1}])
    assert page.effects == ["e1"]


async def test_the_filter_leaves_records_out_and_what_breaks_it_is_rejected() -> None:
    keep = compile_expression("n > 1", MappingContext(AT))
    page = await only(event([{"n": 1}, {"n": 2}, {"n": "x"}]), keep=keep)
    assert (page.fetched, page.filtered, page.records) == (3, 1, [{"n": 2}])
    assert page.rejects[0].problems[0].rule == "filter"


async def test_a_record_may_get_the_events_data_without_its_secrets() -> None:
    secret = {"x_shop_signature": "s", "authorization": "a", "x_webhook_secret": "w"}
    page = await only(event({"id": 1}, x_topic="orders", **secret), include="_event")
    assert page.records == [
        {
            "id": 1,
            "_event": {
                "id": "e1",
                "received_at": AT.isoformat(),
                "headers": {"content-type": "application/json", "x-topic": "orders"},
            },
        }
    ]


async def test_a_record_that_is_no_object_is_left_for_the_mapping_to_reject() -> None:
    assert (await only(event([1]), include="_event")).records == [1]


async def test_many_events_make_several_pages_and_none_makes_an_empty_one() -> None:
    many = [event({"id": number}, f"e{number}") for number in range(PAGE_EVENTS + 1)]
    first, last = await pages_of(many)
    assert (first.fetched, first.stop_reason, last.fetched, last.stop_reason) == (
        PAGE_EVENTS,
        None,
        1,
        "no_next",
    )
    (empty,) = await pages_of([])
    assert (empty.fetched, empty.stop_reason) == (0, "no_next")


def test_a_form_is_an_object_of_its_fields() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert decode_event(b"a=1&b=x+y&a=2&a=3&c=", form) == {
        "a": ["1", "2", "3"],
        "b": "x y",
        "c": "",
    }
    assert decode_event(b"", form) == {}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"payload=%7B%22a%22%3A1%7D", {"payload": {"a": 1}}),
        (b"mandrill_events=%5B1%5D", {"mandrill_events": [1]}),
        (b"payload=plain", {"payload": "plain"}),
        (b"other=%5B1%5D", {"other": "[1]"}),
        (b"payload=1&payload=2", {"payload": ["1", "2"]}),
    ],
)
def test_the_documents_in_vendors_forms_are_decoded(raw: bytes, found: Any) -> None:
    assert decode_event(raw, {"content-type": "application/x-www-form-urlencoded"}) == found


@pytest.mark.parametrize("raw", [b"a=%ff", b"\xff=1", b"a", b"&".join([b"a=1"] * 1001)])
def test_a_form_that_cannot_be_read_is_told(raw: bytes) -> None:
    with pytest.raises(RecordRejectedError, match="no form"):
        decode_event(raw, {"content-type": "application/x-www-form-urlencoded"})


def test_integers_of_any_length_stay_exact() -> None:
    assert decode_event(b'{"n": 123456789012345678901234567890}', JSON)["n"] == int(
        "1234567890" * 3
    )
