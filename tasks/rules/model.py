"""A pydantic model, or a function of one's own, as the set of rules.

Both see the mapped record, dotted targets nested: `customer.email` is the key `email` of the
object `customer`.

    model      What it makes of a field (a date of a text, a default of a null) takes the field's
               place in the row; what no column can hold (a UUID, an enumeration) as JSON writes
               it. A null stands for a missing value where the model's field has a default.
    function   It returns None or True to accept the record, else why not: a text, {field: text},
               or a list of texts. ValueError is a reason, too. The row stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from astrio.tasks.batch import Batch, Problem
from astrio.tasks.rules.compile import CompiledRules
from astrio.tasks.rules.field import Row
from astrio.tasks.rules.model_fields import declared, found, given, storable
from astrio.tasks.rules.records import record_maker
from astrio.tasks.rules.redaction import redacted, without_values
from astrio.tasks.rules.sheet import Sheet

_PLACE = re.compile(r"\[[0-9]+\]")
_OWN_WORDS = frozenset({"value_error", "assertion_error"})
_LONGEST = 500
_FAILS = "fails on this record"


def compile_model(
    model: type[BaseModel] | Callable[[dict[str, Any]], Any],
    columns: tuple[str, ...] | None,
    *,
    key: Sequence[str] = (),
) -> CompiledRules:
    """Return rules that hold each record against a pydantic model, or a function.

    Args:
        model: the model's class, or a function of a mapped record.
        columns: the mapping's targets; None: records pass through.
        key: targets whose values identify a record among the rejects.
    """
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    judge: _Judge = _Model(model) if is_model else _Function(model)  # type: ignore[arg-type]  # told apart by is_model
    return _Rules(judge, key, nested=columns is not None)


class _Judge(Protocol):
    def problems(self, record: dict[str, Any]) -> tuple[list[Problem], dict[str, Any] | None]:
        """Return what is wrong with a record, and the record as it is to be, None: as it is."""
        ...


class _Rules:
    def __init__(self, judge: _Judge, key: Sequence[str], *, nested: bool) -> None:
        self._judge = judge
        self._key = key
        self._nested = nested

    def validate(self, batch: Batch) -> Batch:
        return self._judged(batch.columns, batch.rows).sifted(batch, self._key)

    def explain(self, columns: Sequence[str], row: Row) -> list[Problem]:
        return self._judged(tuple(columns), [row]).problems.get(0, [])

    def _judged(self, columns: tuple[str, ...], rows: list[Row]) -> Sheet:
        sheet = Sheet(columns, rows.copy(), self._nested)
        make = record_maker(columns, None, nested=self._nested)
        paths = [column.split(".") if self._nested else [column] for column in columns]
        for place, row in enumerate(rows):
            try:
                problems, new = self._judge.problems(make(row))
            except Exception as error:  # noqa: BLE001 (the user's own code may raise anything)
                problems, new = [Problem(None, "model", f"{_FAILS} ({type(error).__name__})")], None
            for problem in problems:
                sheet.add(place, problem, counted=_PLACE.sub("[]", problem.field or "") or None)
            if new is not None:
                sheet.rows[place] = tuple(
                    found(new, path, old) for path, old in zip(paths, row, strict=True)
                )
        return sheet


class _Model:
    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    def problems(self, record: dict[str, Any]) -> tuple[list[Problem], dict[str, Any] | None]:
        try:
            valid = self._model.model_validate(given(record, self._model))
        except ValidationError as error:
            told = error.errors(include_url=False)
            return [_problem(each, record, self._model) for each in told], None
        return [], storable(
            valid.model_dump(by_alias=True), valid.model_dump(mode="json", by_alias=True)
        )


class _Function:
    def __init__(self, function: Callable[[dict[str, Any]], Any]) -> None:
        self._function = function
        self._name = getattr(function, "__name__", "function")

    def problems(self, record: dict[str, Any]) -> tuple[list[Problem], dict[str, Any] | None]:
        try:
            told = self._function(record)
        except ValueError as error:
            told = str(error) or "is refused"
        return [
            Problem(field, self._name, _short(without_values(str(reason), record)))
            for field, reason in _reasons(told)
        ], None


def _reasons(told: Any) -> Iterator[tuple[str | None, Any]]:
    if told is None or told is True:
        return
    if told is False:
        yield None, "is refused"
    elif isinstance(told, Mapping):
        yield from ((str(field), reason) for field, reason in told.items())
    elif isinstance(told, str):
        yield None, told
    elif isinstance(told, list | tuple):
        yield from ((None, reason) for reason in told)
    else:
        raise TypeError


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _problem(error: Any, record: dict[str, Any], model: type[BaseModel]) -> Problem:
    """Describe one of pydantic's errors, without the value that some of its texts repeat."""
    message = error["msg"]
    if error["type"] == "union_tag_invalid":
        message = "The tag is none of those that the model knows"
    elif error["type"] in _OWN_WORDS:
        message = without_values(message, record)
    value = None if error["type"] == "missing" else redacted(error["input"])
    return Problem(declared(error["loc"], model) or None, error["type"], _short(message), value)
