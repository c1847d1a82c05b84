"""A function in the place of a mapping: rows, filtered records, rejects; nothing stops the run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.connectors import Write

from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.python.copying import copied
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.transform import PythonTransform

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def transformed(*records: Any, key: tuple[str, ...] = (), filtered: int = 0) -> Batch:
    page = Page(1, list(records), fetched=len(records) + filtered, filtered=filtered)
    return PythonTransform("crm:transform", CONTEXT, key).transform(page)


def reason(record: Any) -> str:
    [reject] = transformed(record).rejects
    [problem] = reject.problems
    assert (problem.field, problem.rule, reject.record) == (None, "transform", record)
    return problem.reason


def test_columns_follow_from_what_the_function_returns(write: Write) -> None:
    write("crm.py", "def transform(record):\n    return {'n': record['id'], **record}\n")
    batch = transformed({"id": 1}, {"id": 2, "more": True})
    assert batch.columns == ("n", "id", "more")
    assert batch.rows == [(1, 1, None), (2, 2, True)]
    assert batch.sources == [{"id": 1}, {"id": 2, "more": True}]


def test_a_record_for_which_none_is_returned_is_filtered(write: Write) -> None:
    write("crm.py", "def transform(record):\n    return record if record['id'] > 1 else None\n")
    batch = transformed({"id": 1}, {"id": 2}, filtered=3)
    assert batch.rows == [(2,)]
    assert batch.page.filtered == 4
    assert not batch.rejects


def test_a_record_that_is_refused_is_kept_as_it_came_with_the_reason_and_its_place(
    write: Write,
) -> None:
    write("crm.py", "def transform(record):\n    record['id'] = None\n"
          "    record['tags'].append('x')\n    raise ValueError('no such country')\n")  # fmt: skip
    record = {"id": 1, "tags": ["a"]}
    assert reason(record) == "no such country (connectors/crm.py, line 4)"
    assert record == {"id": 1, "tags": ["a"]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("from astrio.blocks.errors import RecordRejectedError\n"
         "    raise RecordRejectedError('no e-mail')", "no e-mail (connectors/crm.py, line 3)"),
        ("int(record['name'])", "it fails with ValueError (connectors/crm.py, line 2)"),
        ("record[record['name']]", "it fails with KeyError (connectors/crm.py, line 2)"),
        ("raise TypeError(record['name'])", "it fails with TypeError (connectors/crm.py, line 2)"),
        ("raise ValueError", "it fails with ValueError (connectors/crm.py, line 2)"),
        ("exit(2)", "it fails with SystemExit (connectors/crm.py, line 2)"),
        ("transform(record)", "the record is nested too deep (connectors/crm.py, line 2)"),
        ("return [record]", "the function returned a list, not a dict or None"),
        ("return 7", "the function returned a number, not a dict or None"),
        ("return {1: 2}", "the function returned a dict with a key that is no text"),
    ],
)  # fmt: skip
def test_whatever_the_function_does_rejects_its_record_alone(
    write: Write, body: str, told: str
) -> None:
    write("crm.py", f"def transform(record):\n    {body}\n    return record\n")
    assert reason({"name": "secret name"}) == told


def test_a_record_that_is_no_object_never_reaches_the_function(write: Write) -> None:
    write("crm.py", "def transform(record):\n    return {'value': record}\n")
    assert reason("text") == "the record is text, not an object"


def test_names_of_astrio_are_refused_and_others_with_an_underscore_are_not(write: Write) -> None:
    write("crm.py", "def transform(record):\n    return record\n")
    batch = transformed({"id": 7, "_astrio_x": 1}, {"id": 8, "_id": 1}, key=("id",))
    [reject] = batch.rejects
    assert reject.key == (7,)
    assert (reject.problems[0].field, reject.problems[0].rule) == ("_astrio_x", "transform")
    assert batch.rows == [(8, 1)]


def test_a_dict_of_another_class_is_taken(write: Write) -> None:
    write("crm.py", "from collections import OrderedDict as transform\n")
    assert transformed({"id": 1}).rows == [(1,)]


def test_a_function_may_ask_for_the_clock_of_the_run(write: Write) -> None:
    write("crm.py", "def transform(record, *, context):\n    return {'at': context.now}\n")
    assert transformed({}).rows == [(CONTEXT.now,)]


def test_explaining_gives_the_values_or_the_reason(write: Write) -> None:
    body = "    return {'n': 1 / record['id']} if record else None\n"
    write("crm.py", f"def transform(record):\n{body}")
    mapping = PythonTransform("crm:transform", CONTEXT)
    assert mapping.explain({"id": 2}) == [("n", 0.5, None)]
    assert mapping.explain({}) == []
    [(field, value, told)] = mapping.explain({"id": 0})
    assert (field, value) == ("$", None)
    assert told == "it fails with ZeroDivisionError (connectors/crm.py, line 2)"


def test_a_function_that_takes_no_record_is_refused(write: Write) -> None:
    write("crm.py", "def transform(): ...\n")
    with pytest.raises(PythonError, match="must take one record"):
        PythonTransform("crm:transform", CONTEXT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.text(alphabet=st.characters(categories=["Cs"])) | st.decimals(allow_nan=False),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_a_copy_is_equal_and_shares_nothing(value: Any) -> None:
    copy = copied(value)
    assert copy == value
    assert type(copy) is type(value)
    assert not isinstance(value, list | dict) or copy is not value


def test_hostile_records_pass_as_they_are_or_are_rejected_one_by_one(write: Write) -> None:
    write("crm.py", "def transform(record):\n    return {'value': record['value']}\n")
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    values = [deep, "\ud800", 10**30, float("nan"), "x" * 10_000_000, {"\0": None}]
    batch = transformed(*({"value": value} for value in values))
    assert [each.problems[0].reason for each in batch.rejects] == ["the record is nested too deep"]
    assert [row[0] for row in batch.rows[:2]] == values[1:3]
    assert [row[0] for row in batch.rows[3:]] == values[4:]
