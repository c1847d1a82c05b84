"""A page with a record that cannot be used (NaN, nested too deep): the others are read.

The page is cut at the commas of its list of records, and each record is decoded by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from astrio.tasks.decode.base import BrokenRecord, RefusedRecord
from astrio.tasks.decode.json import UnusableValueError, decode_as_told, decode_json
from astrio.tasks.decode.keys import keys_to

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:]', re.DOTALL)
_EXPECTED = "The answer's body "


class Apart(list[Any]):
    """The records of such a page; those that cannot be used are `BrokenRecord`s."""


def decode_page(content: bytes, headers: Mapping[str, str], records: str) -> Any:
    """Return the JSON value of a page; a record that cannot be used spoils no other.

    Args:
        content: the body.
        headers: of the answer.
        records: the path of the records.

    Raises:
        ApiAnswerError: the body is no JSON, or no record is to blame.
    """
    try:
        return decode_json(content, headers)
    except UnusableValueError:
        keys = keys_to(records)
        found = None if keys is None else decode_apart(content, headers, keys)
        if found is None:
            raise
        return found


def decode_apart(content: bytes, headers: Mapping[str, str], keys: Sequence[str]) -> Any | None:
    """Return the body with its records decoded one by one; None: its list cannot be found.

    Args:
        content: the body, in UTF-8.
        headers: of the answer.
        keys: that lead to the list of records.

    Raises:
        ApiAnswerError: a record is no JSON at all, so that the cuts cannot be trusted.
    """
    found = _cuts(content, list(keys))
    if found is None:
        return None
    start, *cuts = found
    rest = decode_json(content[:start] + content[cuts[-1] :], headers)
    records, begin = Apart(), start
    for number, end in enumerate(cuts, 1):
        text = content[begin:end]
        if len(cuts) > 1 or text.strip():
            records.append(_decoded(text, headers, number))
        begin = end + 1
    return _with(rest, keys, records)


def _decoded(text: bytes, headers: Mapping[str, str], number: int) -> Any:
    try:
        return decode_json(text, headers)
    except UnusableValueError as error:
        reason = f"The record {error.message.removeprefix(_EXPECTED)}"
        record = decode_as_told(text)
        if isinstance(record, dict):
            return RefusedRecord(record, reason)
        return BrokenRecord(number, reason, text.decode(errors="replace"))


def _with(body: Any, keys: Sequence[str], records: Apart) -> Any | None:
    """Return the body with the records in the place of its list, which was emptied."""
    if not keys:
        return records if body == [] else None
    parent = body
    for key in keys[:-1]:
        parent = parent[key]
    if parent[keys[-1]] != []:
        return None  # a key that comes twice
    parent[keys[-1]] = records
    return body


def _cuts(content: bytes, keys: list[str]) -> list[int] | None:
    """Return where the list of records begins, its commas, and where it ends."""
    tokens = _TOKEN.finditer(content)
    for key in keys:
        if not _opens(next(tokens, None), b"{") or not _at_key(tokens, key):
            return None
    if not _opens(first := next(tokens, None), b"["):
        return None
    assert first is not None  # it opens the list
    cuts, depth = [first.end()], 1
    for token in tokens:
        sign = token[0]
        depth += (sign in b"[{") - (sign in b"]}")
        if depth == 0 or (depth == 1 and sign == b","):
            cuts.append(token.start())
        if depth == 0:
            return cuts
    return None


def _opens(token: re.Match[bytes] | None, sign: bytes) -> bool:
    return token is not None and token[0] == sign


def _at_key(tokens: Iterator[re.Match[bytes]], key: str) -> bool:
    """Go on to behind the colon of a key of the object that has just been opened."""
    depth, begins = 1, True
    for token in tokens:
        sign = token[0]
        if depth == 1 and begins and sign[:1] == b'"' and json.loads(sign) == key:
            return _opens(next(tokens, None), b":")
        depth += (sign in b"[{") - (sign in b"]}")
        begins = depth == 1 and sign == b","
        if depth == 0:
            return False
    return False
