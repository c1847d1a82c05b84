"""Decoding only what is read: never another result than decoding everything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Page
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.decode.json import decode_json
from astrio.tasks.decode.keys import keys_to
from astrio.tasks.decode.projection import Projection
from astrio.tasks.mapping.compile import MappingContext, compile_expression, compile_mapping
from astrio.tasks.mapping.sent import Sent
from astrio.tasks.mapping.shape import shape_of
from astrio.tasks.paths import compile_path
from astrio.tasks.projected import Projected
from astrio.tasks.repetition import RepetitionGuard
from astrio.tasks.selection import Selection

CONTEXT = MappingContext(datetime(2026, 1, 2, tzinfo=UTC))
HEADERS = {"content-type": "application/json"}
KEYS = [
    b'"a"',
    b'"b"',
    b'"\\u0061"',
    b'"odd key"',
    b'"items"',
    b'"__class__"',
    b'"\xc3\xa9"',
    b'""',
]
EXPRESSIONS = [
    *("a", "b", "a.b", "a.b.a", "a[0]", "a[-1].b", "a[*]", "a[*].b", "a[*].b[*].a", "a[1:].b"),
    *("items[*].a", "items[0].a", "items[*][0].b", "items[:1][*].a", "items", "$['odd key'].a"),
    *("$['']", "é", "a.é", "__class__", "a.__class__", "lower(a)", "a + b", "a.b + 1", "'x'"),
    *(
        "count(items)",
        "length(items)",
        "length(a)",
        "length(a.b)",
        "length(b) + 1",
        "map(items, item -> item.a)",
        "if(a.b, a, b)",
        "concat(a.a, ' ', b)",
    ),
    *("items[*].a[1:].b", "b[0].a", "b[0][0]", "b[*].items[*].a", "int(a)", "a ?? b.b"),
    *("a > b.a", "sum(items[*].a)", "first(items[*].b)", "float(a.b)", "items[*].items.a"),
]
scalars = st.sampled_from(
    [
        *(b"null", b"true", b"false", b"0", b"-0", b"-0.0", b"1", b"2.50", b"1e400", b"1E3"),
        *(b"123456789012345678901234567890", b"-98765432109876543210", b"1" * 5000, b"0.1"),
        *(
            b'""',
            b'"x"',
            b'"\\ud800"',
            b'"\\u00e9\\n"',
            b'"\xc3\xa9"',
            b'"\xff"',
            b'"\xed\xa0\x80"',
        ),
        *(b"NaN", b"-Infinity", b"01", b'"\\x"', b'"\x01"', b"[", b'{"a":1,}', b"1.", b"[" * 3000),
        *(b"[]", b"{}", b" 1 ", b"[[[[1]]]]"),
    ]
)
good = st.sampled_from([b"null", b"1", b"2.5", b'"x"', b"[]", b"{}", b"true"])


def composed(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    lists = st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]")
    return lists | objects(inner)


def objects(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pair = st.tuples(st.sampled_from(KEYS), inner).map(b":".join)  # keys may come twice
    return st.lists(pair, max_size=5).map(lambda pairs: b"{" + b", ".join(pairs) + b"}")


tame = st.recursive(good, composed, max_leaves=8)
wild = st.recursive(good | scalars, composed, max_leaves=8)
pages = st.lists(objects(tame) | objects(wild) | tame, max_size=4).map(
    lambda records: b'{"data": {"rows": [' + b",".join(records) + b']}, "next": "2"}'
)


@dataclass(frozen=True)
class Read:
    """What becomes of a page."""

    body: str
    cursor: str
    sources: str
    rows: str
    rejects: str


def outcome(body: Any, mapping: dict[str, Any], keep: str | None) -> Read:
    records = compile_path("data.rows").records(body)
    reader = CursorReader("a")
    filtered = compile_expression(keep, CONTEXT) if keep else None
    try:
        chosen = Selection(filtered, None, Answers())(records)
        cursors = repr(reader.read(records).values)
    except ApiAnswerError as error:
        return Read(repr(body), error.message, "", "", "")
    batch = compile_mapping(mapping, CONTEXT, key=["t0"]).transform(Page(1, chosen.records))
    rejects = [
        (each.record, each.key, [(p.field, p.rule, p.reason) for p in each.problems])
        for each in [*chosen.rejects, *batch.rejects]
    ]
    return Read(
        repr(body["next"]), cursors, repr(list(batch.sources)), repr(batch.rows), repr(rejects)
    )


def projection(mapping: dict[str, Any], keep: str | None = None) -> Projection | None:
    shape = shape_of([keep] if keep else [], mapping.values(), ["a"])
    return None if shape.whole else Projection(shape, ["data", "rows"])


def decoded(content: bytes) -> Any:
    try:
        return decode_json(content, HEADERS)
    except ApiAnswerError as error:
        return error


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=4),
    st.none() | st.sampled_from(EXPRESSIONS),
    pages,
)
def test_what_is_decoded_in_part_gives_what_is_decoded_as_a_whole(
    expressions: list[str], keep: str | None, content: bytes
) -> None:
    mapping = {f"t{place}": text for place, text in enumerate(expressions)}
    made = projection(mapping, keep)
    assert made is not None
    part, whole = made.decode(content, HEADERS), decoded(content)
    if part is None:
        return
    assert not isinstance(whole, ApiAnswerError)
    assert isinstance(part["data"]["rows"], Projected)
    assert outcome(part, mapping, keep) == outcome(whole, mapping, keep)


DIGITS = [
    *("decimal(a)", "decimal(a.b)", "decimal(items[*].a)", "decimal(first(items[*].a))"),
    *(
        "map(items, i -> decimal(i.a))",
        "map(a, x -> x)",
        "filter(a, x -> x.b)[0].a",
        "decimal(a ?? b)",
    ),
    *("decimal(if(a, b.a, b))", "sum(map(items, i -> decimal(i.a ?? 0)))", "decimal(a) + b"),
    *("decimal(filter(items, i -> i.a > 1)[0].a)", "first(a)", "coalesce(a, b)", "[a, {x: b}]"),
    *("max(a, b)", "a == b", "a == decimal(a)", "sort(items, i -> i.a)", "unique(a)", "str(a)"),
]


UNTOUCHED = [text for text in DIGITS if "decimal" not in text]


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from([*EXPRESSIONS, *UNTOUCHED, "$"]), min_size=1, max_size=4),
    st.none() | st.sampled_from([*EXPRESSIONS, "decimal(a) > 1"]),
    pages,
)
def test_remembered_digits_change_nothing_but_decimals(
    expressions: list[str], keep: str | None, content: bytes
) -> None:
    mapping = {f"t{place}": text for place, text in enumerate(expressions)}
    shape = shape_of([keep] if keep else [], mapping.values(), ["a"])
    made = Projection(None if shape.whole else shape, ["data", "rows"], exact=True)
    part, whole = made.decode(content, HEADERS), decoded(content)
    if part is None:
        return
    assert isinstance(part["data"]["rows"], Projected)
    assert outcome(part, mapping, keep) == outcome(whole, mapping, keep)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*EXPRESSIONS, *DIGITS, "$"]), min_size=1, max_size=4), pages)
def test_remembered_digits_leave_no_expression(expressions: list[str], content: bytes) -> None:
    mapping = {f"t{place}": text for place, text in enumerate(expressions)}
    shape = shape_of([], mapping.values(), ["a"])
    made = Projection(None if shape.whole else shape, ["data", "rows"], exact=True)
    part = made.decode(content.replace(b"2.5", b"2.50"), HEADERS)
    if part is not None:
        batch = compile_mapping(mapping, CONTEXT).transform(Page(1, part["data"]["rows"]))
        assert not any(map(remembers, [*batch.rows, *batch.sources]))
        assert not any(remembers(each.record) for each in batch.rejects)


def remembers(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(remembers, value.values()))
    return (
        any(map(remembers, value)) if isinstance(value, list | tuple) else isinstance(value, Sent)
    )


@pytest.mark.parametrize(
    ("expression", "digits"),
    [
        *(("decimal(a)", "12.50"), ("decimal(b.a)", "1E+3"), ("decimal(c[*][0])", None)),
        ("decimal(c[1])", "0.10000000000000000055"),
        ("first(map(c, x -> decimal(x)))", "1.0"),
        ("decimal(first(c))", "1.0"),
        ("decimal(z ?? a)", "12.50"),
        ("decimal(if(true, coalesce(z, a), 1))", "12.50"),
        ("decimal(filter(d, x -> x.a > 1)[0].a)", "3.10"),
        ("decimal($.d[0].a)", "3.10"),
        ("decimal(first($.d[?(@.a > 1)].a))", "3.10"),
        ("decimal(a * 1)", "12.5"),
    ],
)
@pytest.mark.parametrize("fits", [True, False])
def test_decimal_keeps_the_digits_as_sent(
    expression: str, digits: str | None, *, fits: bool
) -> None:
    shape = shape_of([], [expression], [])
    made = Projection(None if shape.whole or not fits else shape, ["rows"], exact=True)
    record = (
        b'{"a": 12.50, "b": {"a": 1e3}, "c": [1.0, 0.10000000000000000055], "d": [{"a": 3.10}]}'
    )
    body = made.decode(b'{"total": 1.50, "rows": [' + record + b"]}", HEADERS)
    assert body is not None
    assert body["total"].__class__ is float
    assert list(body["rows"]) == [json.loads(record)]
    batch = compile_mapping({"x": expression}, CONTEXT).transform(Page(1, body["rows"]))
    assert [str(row[0]) for row in batch.rows] == ([] if digits is None else [digits])


@pytest.mark.parametrize(
    "content",
    [
        *(b'{"rows": {"a": 1.50}}', b'{"rows": null}', b'{"other": [1.50]}', b"[1.50]", b"2.50"),
        *(b'{"rows": [NaN]}', b'{"rows": [', b""),
    ],
)
def test_digits_are_not_looked_for_where_no_records_are(content: bytes) -> None:
    assert Projection(None, ["rows"], exact=True).decode(content, HEADERS) is None


def test_digits_are_remembered_in_a_page_that_is_its_list_of_records() -> None:
    made = Projection(None, [], exact=True)
    assert made.decode(b'{"a": 1.50}', HEADERS) is None
    records = made.decode(b'[{"a": 1.50}, {"a": "\\ud800"}, 3]', HEADERS)
    assert records == [{"a": 1.5}, {"a": "\ud800"}, 3]
    batch = compile_mapping({"x": "decimal(a)"}, CONTEXT).transform(Page(1, records or ()))
    assert [str(row[0]) for row in batch.rows] == ["1.50"]
    assert [each.record for each in batch.rejects] == [{"a": "\ud800"}, 3]


def test_most_pages_fit() -> None:
    made = projection({"x": "a.b", "y": "items[*].a"})
    assert made is not None
    for content in (
        b'[{"a": {"b": 1}, "items": [{"a": 2}, null]}]',
        b"[{}]",
        b"[]",
        b'[{"a":null}]',
    ):
        body = made.decode(b'{"data": {"rows": ' + content + b"}}", HEADERS)
        assert body is not None
        assert body["data"]["rows"] == json.loads(content)


@pytest.mark.parametrize(
    "content",
    [
        *(b'{"data": {"rows": [1]}}', b'{"data": {"rows": [{"b": 1}]}}', b'{"data": {}}', b"[]"),
        *(b'{"data": {"rows": null}}', b'{"data": {"rows": [{"z": "\xff"}]}}', b"{", b""),
        b'{"data": {"rows": [{"b": {"c": "\\ud800"}}]}}',
    ],
)
def test_a_page_that_does_not_fit_is_left_to_the_plain_decoder(content: bytes) -> None:
    made = projection({"x": "b.c"})
    assert made is not None
    assert made.decode(content, HEADERS) is None


def test_after_three_pages_in_a_row_that_do_not_fit_it_is_tried_no_more() -> None:
    made = projection({"x": "b.c"})
    assert made is not None
    good_page = b'{"data": {"rows": [{"b": {"c": 1}}]}}'
    for _ in range(2):
        assert made.decode(b"[]", HEADERS) is None
    assert made.decode(good_page, HEADERS) is not None
    for _ in range(3):
        assert made.decode(b"[]", HEADERS) is None
    assert made.decode(good_page, HEADERS) is None


def test_another_charset_is_left_to_the_plain_decoder() -> None:
    made = projection({"x": "b.c"})
    assert made is not None
    content = '{"data": {"rows": [{"b": {"c": "é"}}]}}'.encode()
    assert made.decode(content, {"content-type": "application/json; charset=latin-1"}) is None
    assert made.decode(content, {"content-type": "application/json; charset=UTF-8"}) is not None


@pytest.mark.parametrize("letter", ["é", "€", "😀"])
@pytest.mark.parametrize("before", range(65_500, 65_536, 5))
def test_a_letter_may_stand_where_the_parts_of_a_long_page_meet(letter: str, before: int) -> None:
    made = projection({"x": "b.c"})
    assert made is not None
    note = "n" * before + letter * 70_000
    content = f'{{"data": {{"rows": [{{"b": {{"c": "{letter}"}}, "note": "{note}"}}]}}}}'.encode()
    body = made.decode(content, HEADERS)
    assert body is not None
    assert body["data"]["rows"][0]["note"] == note


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"])
@pytest.mark.parametrize("before", [0, 65_500, 65_534, 65_536, 200_000])
def test_what_is_no_utf_8_is_found_wherever_it_stands(wrong: bytes, before: int) -> None:
    made = projection({"x": "b.c"})
    assert made is not None
    note = b"n" * before + wrong
    content = b'{"data": {"rows": [{"b": {"c": 1}, "note": "' + note + b'"}]}}'
    assert made.decode(content, HEADERS) is None


@pytest.mark.parametrize(
    ("records", "keys"),
    [
        ("$", ()),
        ("$[*]", ()),
        ("$.data.rows", ("data", "rows")),
        ("data.rows[*]", ("data", "rows")),
        ("$['odd key'][*]", ("odd key",)),
        ("data[0].rows", None),
        ("data.*", None),
        ("$..rows", None),
        ("data[*].rows[*]", None),
    ],
)
def test_a_records_path_is_followed_where_it_is_a_chain_of_keys(
    records: str, keys: tuple[str, ...] | None
) -> None:
    assert keys_to(records) == keys


def test_whole_records_are_what_everyone_else_sees() -> None:
    records = [{"a": 1, "b": 2.5}, {"b": [3]}, {"a": None, "z": {"y": 0}}]
    made = Projection(shape_of([], ["a"], []), [])
    part = made.decode(json.dumps(records).encode(), HEADERS)
    assert isinstance(part, Projected)
    assert list(part) == [*part] == records == part
    assert part[-1] == records[-1]
    assert part[1:] == records[1:]
    assert part[::-1] == records[::-1]
    assert part != records[1:]
    assert list(reversed(part)) == records[::-1]
    assert records[1] in part
    assert len(part.picked([2])) == 1
    assert json.dumps(list(part.picked([2, 0]))) == json.dumps([records[2], records[0]])
    with pytest.raises(IndexError):
        part[3]


def test_pages_that_differ_only_in_what_is_not_read_do_not_repeat_themselves() -> None:
    made = Projection(shape_of([], ["status"], []), [])
    guard = RepetitionGuard(request())
    for number in range(1, 4):
        page = made.decode(json.dumps([{"status": "open", "id": number}]).encode(), HEADERS)
        assert isinstance(page, Projected)
        guard.look(number, page, None)
    again = made.decode(b'[{ "id": 3, "status": "open" }]', HEADERS)
    assert isinstance(again, Projected)
    with pytest.raises(ApiAnswerError, match="same records"):
        guard.look(4, again, None)


def request() -> Any:
    from astrio.tasks.http.request import ApiRequest

    return ApiRequest("GET", "/orders")
