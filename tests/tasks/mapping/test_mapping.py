"""Whole mappings: pages in, batches out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.compile import CompiledMapping, MappingContext, compile_mapping

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def compiled(mapping: dict[str, Any] | None, key: tuple[str, ...] = ()) -> CompiledMapping:
    return compile_mapping(mapping, CONTEXT, key=key)


def batch_of(mapping: dict[str, Any] | None, *records: Any, key: tuple[str, ...] = ()) -> Batch:
    return compiled(mapping, key).transform(Page(1, list(records)))


def reasons(batch: Batch) -> list[list[tuple[str | None, str]]]:
    return [[(each.field, each.reason) for each in reject.problems] for reject in batch.rejects]


def test_the_product_pages_transformations_run_as_written() -> None:
    mapping = {
        "user.full_name": "concat(user.first_name, ' ', user.last_name)",
        "user.age": "calculate_age(user.birth_date)",
        "user.status": "if(user.is_active, 'active', 'inactive')",
    }
    ada = {"first_name": "Ada", "last_name": "Lovelace", "birth_date": "1990-12-10"}
    batch = batch_of(
        mapping,
        {"user": {**ada, "is_active": True}},
        {"user": {"first_name": "Eve", "is_active": False}},
    )
    assert batch.columns == ("user.full_name", "user.age", "user.status")
    assert batch.rows == [("Ada Lovelace", 35, "active"), ("Eve ", None, "inactive")]


def test_the_product_pages_simple_mapping_runs_as_written() -> None:
    mapping = {
        "user.name": "external_user.full_name",
        "user.email": "external_user.email_address",
        "user.created_at": "external_user.registration_date",
    }
    record = {"external_user": {"full_name": "Ada", "email_address": "a@b.co"}}
    assert batch_of(mapping, record).rows == [("Ada", "a@b.co", None)]


def test_rows_stand_in_the_order_of_the_map_beside_their_sources() -> None:
    records = [{"a": 1, "b": 2}, {"b": 4, "a": 3}]
    page = Page(3, records)
    batch = compiled({"second": "b", "first": "a"}).transform(page)
    assert batch.page is page
    assert batch.columns == ("second", "first")
    assert batch.rows == [(2, 1), (4, 3)]
    assert list(batch.sources) == records
    assert batch.rejects == []


@pytest.mark.parametrize("constant", [1, 1.5, -2, True, None, [1, {"a": 2}], {}, date(2024, 1, 1)])
def test_a_value_that_is_no_text_is_a_constant(constant: Any) -> None:
    assert batch_of({"x": constant}, {}).rows == [(constant,)]


def test_a_template_keeps_the_kind_of_a_lone_placeholder_only() -> None:
    mapping = {
        "lone": "{{ id }}",
        "text": "No. {{ id }} of {{ total ?? 'many' }}{{ nothing }}",
        "dollars": "${{ id }}",
        "braces": "{{ '{{' }}{{ '}}' }}",
        "inside": {"list": ["{{ id }}", "plain id"], "empty": ""},
        "quoted": "{{ concat('}}', \"{{\") }}",
    }
    assert batch_of(mapping, {"id": 7}).rows == [
        (
            7,
            "No. 7 of many",
            "$7",
            "{{}}",
            {"list": [7, "plain id"], "empty": ""},
            "}}{{",
        )
    ]


def test_a_template_refuses_lists_and_names_the_target() -> None:
    batch = batch_of({"x": "tags: {{ tags }} {{ lower(name) }}"}, {"tags": [1], "name": "A"})
    assert reasons(batch) == [
        [("x", "a template needs texts and numbers, not a list (column 1)")],
    ]


def test_a_record_that_fails_is_set_aside_with_all_its_reasons() -> None:
    mapping = {"id": "id", "age": "int(age)", "name": "lower(name)", "copy": "name"}
    good, bad, worse = {"id": 1}, {"id": 2, "age": "x"}, {"id": 3, "age": [], "name": 1}
    batch = batch_of(mapping, bad, good, worse, key=("id",))
    assert batch.rows == [(1, None, None, None)]
    assert list(batch.sources) == [good]
    assert [reject.record for reject in batch.rejects] == [bad, worse]
    assert [reject.key for reject in batch.rejects] == [(2,), (3,)]
    assert reasons(batch) == [
        [("age", "int(): the text is not a whole number (column 1)")],
        [
            ("age", "int() needs a number or text, not a list (column 1)"),
            ("name", "lower() needs text, not a number (column 1)"),
        ],
    ]
    assert {each.rule for reject in batch.rejects for each in reject.problems} == {"map"}


def test_a_problem_carries_its_expression_and_the_place_in_it() -> None:
    mapping = {"total": "price * int(count)", "note": {"age": "{{ int(age) }}"}}
    batch = batch_of(mapping, {"price": 1, "count": "x", "age": "x"})
    assert [(each.expression, each.position) for each in batch.rejects[0].problems] == [
        ("price * int(count)", 9),
        (None, None),
    ]


@pytest.mark.parametrize("identifier", [None, ""])
def test_a_key_that_is_empty_identifies_no_record(identifier: Any) -> None:
    batch = batch_of({"id": "id", "n": "int(n)"}, {"id": identifier, "n": "x"}, key=("id",))
    assert batch.rejects[0].key is None


def test_a_key_may_be_named_by_its_column() -> None:
    mapping = {"order.id": "id", "n": "int(n)"}
    assert batch_of(mapping, {"id": 1, "n": "x"}, key=("order_id",)).rejects[0].key == (1,)
    assert batch_of(mapping, {"id": 1, "n": "x"}, key=("other",)).rejects[0].key is None


@pytest.mark.parametrize("record", [None, 3, "text", [1]])
def test_a_record_that_is_no_object_is_rejected_as_a_whole(record: Any) -> None:
    batch = batch_of({"a": "a", "b": "b"}, record, {"a": 1})
    assert batch.rows == [(1, None)]
    [[(field, reason)]] = reasons(batch)
    assert field is None
    assert reason.endswith("not an object")


def test_a_record_that_fails_once_and_not_again_is_kept() -> None:
    class Moody(dict[str, Any]):
        calls = 0

        def get(self, key: str, default: Any = None) -> Any:
            Moody.calls += 1
            if Moody.calls == 1:
                raise OSError
            return super().get(key, default)

    record = Moody(a=1)
    batch = batch_of({"a": "a"}, record)
    assert (batch.rows, list(batch.sources)) == ([(1,)], [record])


def test_explain_shows_every_target_with_value_or_problem() -> None:
    mapping = compiled({"id": "id", "age": "int(age)"})
    assert mapping.explain({"id": 1, "age": "x"}) == [
        ("id", 1, None),
        ("age", None, "int(): the text is not a whole number (column 1)"),
    ]
    assert [problem for _, _, problem in mapping.explain(3)] == [
        "the record is a number, not an object"
    ] * 2


def test_the_runs_start_is_the_clock_of_every_record() -> None:
    batch = batch_of({"at": "now()"}, {}, {})
    assert batch.rows == [("2026-01-02T03:04:05Z",)] * 2


def test_without_a_map_records_pass_through() -> None:
    mapping = compiled(None)
    records = [{"b": 1, "a": 2}, {"a": 3, "c": None}]
    batch = mapping.transform(Page(1, records))
    assert mapping.columns is None
    assert batch.columns == ("b", "a", "c")
    assert batch.rows == [(1, 2, None), (None, 3, None)]
    assert batch.sources is records
    assert mapping.explain(records[0]) == [("b", 1, None), ("a", 2, None)]


def test_without_a_map_what_is_no_object_and_reserved_names_are_rejected() -> None:
    mapping = compiled(None, ("id",))
    bad = {"id": 1, "_astrio_row": 2, "_fine": 3}
    batch = mapping.transform(Page(1, [4, {"id": 5, "_fine": 6}, bad]))
    assert (batch.columns, batch.rows) == (("id", "_fine"), [(5, 6)])
    assert batch.sources == [{"id": 5, "_fine": 6}]
    assert [reject.key for reject in batch.rejects] == [None, (1,)]
    assert mapping.explain(bad)[1][2] == "is a name that astrio keeps for itself"
    assert mapping.explain(bad)[0][2] is None
    assert mapping.explain(4) == [("$", 4, "the record is a number, not an object")]


def test_an_empty_page_gives_an_empty_batch() -> None:
    assert batch_of({"a": "a"}).rows == []
    assert batch_of(None).columns == ()


def test_a_wrong_mapping_is_refused_with_all_its_mistakes() -> None:
    with pytest.raises(ConfigurationError) as raised:
        compiled({"a": "lowr(x)", "b": "1 +"})
    assert "a: There is no function lowr()" in raised.value.message
    assert "b: The expression ends too early" in raised.value.message
