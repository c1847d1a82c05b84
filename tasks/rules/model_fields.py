"""Between a mapped record and the fields that a pydantic model declares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_COLUMN_KINDS = (str, bool, int, float, Decimal, date, datetime, type(None))


def declared(location: Sequence[int | str], model: type[BaseModel]) -> str:
    """Return the path of a pydantic error as far as the model declares it.

    What follows may be a key out of the record, or the name of a choice.
    """
    path = ""
    inner: type[BaseModel] | None = model
    for place, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        field = None if inner is None else _fields(inner).get(step)
        if field is None and place > 0:
            break
        path += f".{step}" if path else step
        inner = None if field is None else _model_in(field.annotation)
    return path


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {
        name: field
        for plain, field in model.model_fields.items()
        for name in (plain, field.alias, field.validation_alias)
        if isinstance(name, str)
    }


def given(record: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return the record without nulls where the model has defaults."""
    fields = _fields(model)
    kept: dict[str, Any] = {}
    for name, value in record.items():
        field = fields.get(name)
        if value is None and field is not None and not field.is_required():
            continue
        inner = None if field is None else _model_in(field.annotation)
        kept[name] = given(value, inner) if inner and isinstance(value, dict) else value
    return kept


def _model_in(annotation: Any) -> type[BaseModel] | None:
    choices = [annotation, *get_args(annotation)]
    models = [each for each in choices if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 else None


def storable(values: Any, as_json: Any) -> Any:
    """Return the values, those that no column can hold as JSON writes them."""
    if isinstance(values, dict) and isinstance(as_json, dict) and values.keys() == as_json.keys():
        return {name: storable(value, as_json[name]) for name, value in values.items()}
    return values if type(values) in _COLUMN_KINDS else as_json


def found(record: Any, path: Sequence[str], old: Any) -> Any:
    """Return what the model made of a column; what it does not know stays as it was."""
    for step in path:
        if not isinstance(record, dict) or step not in record:
            return old
        record = record[step]
    return record
