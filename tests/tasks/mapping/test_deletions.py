"""Records that tell of a deletion, taken out of their pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.compile import compile_expression, compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.deletions import Deletions
from astrio.tasks.projected import Projected

CONTEXT = MappingContext(datetime(2026, 1, 1, tzinfo=UTC))
MAP = {"id": "id", "name": "upper(name)", "at": "at"}


def split(*records: Any, mapping: dict[str, Any] | None = None, when: str = "gone") -> Batch:
    compiled = compile_mapping(mapping, CONTEXT, key=("id",))
    deletions = Deletions(compiled, compile_expression(when, CONTEXT), ("id",), "at")
    return deletions.transform(Page(1, list(records), fetched=len(records)))


def test_only_the_key_and_the_version_of_such_a_record_are_mapped() -> None:
    batch = split({"id": 1, "name": "a"}, {"id": 2, "name": 5, "gone": True, "at": 7}, mapping=MAP)
    assert batch.rows == [(1, "A", None)]
    (told,) = batch.page.deletions
    assert (told.key, told.version, told.record["id"]) == ((2,), 7, 2)
    assert batch.rejects == []


def test_a_page_without_any_stays_as_it_is() -> None:
    batch = split({"id": 1, "gone": False}, {"id": 2})
    assert (len(batch.rows), batch.page.deletions) == (2, ())


@pytest.mark.parametrize("mapping", [MAP, None])
def test_one_without_a_key_is_rejected(mapping: dict[str, Any] | None) -> None:
    batch = split({"id": None, "gone": True}, {"name": "x", "gone": True}, mapping=mapping)
    assert [each.problems[0].rule for each in batch.rejects] == ["deleted", "deleted"]
    assert batch.rejects[0].key is None


def test_one_on_which_the_expression_fails_is_rejected_with_its_key() -> None:
    batch = split({"id": 1, "gone": 5}, {"id": 2, "gone": "x"}, when="gone < 6")
    assert [each.key for each in batch.rejects] == [(2,)]
    assert [each.key for each in batch.page.deletions] == [(1,)]


def test_what_is_no_object_is_rejected_as_ever() -> None:
    batch = split(5, {"id": 1, "gone": True}, mapping=MAP)
    assert [each.problems[0].rule for each in batch.rejects] == ["map"]


def test_a_record_that_comes_after_its_deletion_undoes_it() -> None:
    batch = split({"id": 1, "gone": True}, {"id": 2}, {"id": 1}, {"id": 2, "gone": True})
    assert [each.key for each in batch.page.deletions] == [(2,)]
    assert (len(batch.rows), batch.page.known) == (2, 1)


def test_records_that_remember_their_digits_are_told_apart_too() -> None:
    records = Projected.exactly([{"id": 1}, {"id": 2, "gone": True}])
    deletions = Deletions(
        compile_mapping({"id": "id"}, CONTEXT), compile_expression("gone", CONTEXT), ("id",)
    )
    batch = deletions.transform(Page(1, records, fetched=2))
    assert (batch.rows, list(batch.sources)) == ([(1,)], [{"id": 1}])
    assert [each.record for each in batch.page.deletions] == [{"id": 2, "gone": True}]


def test_it_tells_what_the_mapping_tells() -> None:
    deletions = Deletions(compile_mapping(MAP, CONTEXT), bool, ("id",))
    assert deletions.columns == ("id", "name", "at")
    assert deletions.explain({"id": 1})[0] == ("id", 1, None)
