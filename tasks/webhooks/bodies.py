"""What the body of an event says: JSON, or a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from astrio.blocks.errors import ApiAnswerError, RecordRejectedError
from astrio.tasks.decode.json import decode_json

_FORM: Final = "application/x-www-form-urlencoded"
# Fields of forms that vendors put a whole JSON document into (Slack, Mandrill).
_DOCUMENTS: Final = frozenset({"payload", "mandrill_events"})
_MOST_FIELDS: Final = 1_000


def decode_event(body: bytes, headers: Mapping[str, str]) -> Any:
    """Return what the body says: JSON's value, or an object of a form's fields.

    A field that comes several times is a list. Integers of any length stay exact.

    Raises:
        RecordRejectedError: it is neither, or cannot be read.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        return _form(body)
    try:
        return decode_json(body, headers)
    except ApiAnswerError as error:
        told = error.message.replace("The answer's body", "the event's body")
        raise RecordRejectedError(told.removesuffix(".")) from None


def _form(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise RecordRejectedError("the event's body is no form that can be read") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        known = fields.get(name)
        if known is None:
            fields[name] = value
        else:
            fields[name] = [*(known if isinstance(known, list) else [known]), value]
    return {name: _document(name, value) for name, value in fields.items()}


def _document(name: str, value: Any) -> Any:
    if name not in _DOCUMENTS or not isinstance(value, str):
        return value
    try:
        return decode_json(value.encode(), {})
    except (ApiAnswerError, UnicodeEncodeError):
        return value
