"""JSON bodies (RFC 8259), with integers of any length exact."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec

from astrio.blocks.errors import ApiAnswerError

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


def decode_json(content: bytes, headers: Mapping[str, str]) -> Any:
    """Return the JSON value of a body; charset and byte order mark are honoured.

    Raises:
        ApiAnswerError: the body is no JSON (HTML, cut off, empty), or holds what JSON cannot
            say (NaN, infinite numbers), or is nested too deeply.
    """
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _decode_with_care(content, headers)


def _decode_with_care(content: bytes, headers: Mapping[str, str]) -> Any:
    kind = headers.get("content-type", "")
    if not content.strip():
        raise _unusable("is empty", kind)
    try:
        text = _text(content, kind)
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (UnicodeError, LookupError):
        raise _unusable("is not in the charset it claims", kind) from None
    except RecursionError:
        raise _unusable("is nested too deeply", kind) from None
    except _NotANumberError as error:
        raise _unusable(f"holds {error}, which is no JSON number", kind) from None
    except ValueError as error:
        raise _unusable(_what_is_wrong(content, error), kind) from None
    return value


def _text(content: bytes, kind: str) -> str:
    declared = _CHARSET.search(kind)
    if content.startswith(_BOM):
        return content.decode("utf-8-sig")
    if declared is not None:
        return content.decode(declared.group(1))
    return content.decode(json.detect_encoding(content))


class _NotANumberError(ValueError):
    """NaN, Infinity, or a number beyond what a float can hold."""


def _no_number(name: str) -> NoReturn:
    raise _NotANumberError(name)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotANumberError("a number beyond all bounds")
    return value


def _what_is_wrong(content: bytes, error: ValueError) -> str:
    if content.lstrip()[:1] == b"<":
        return "is HTML or XML, not JSON"
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
            return f"is JSON that was cut off after {len(content):,} bytes"
        return f"is no JSON (line {error.lineno}, column {error.colno})"
    return "holds a number with too many digits"


def _unusable(what: str, kind: str) -> ApiAnswerError:
    told = f" (Content-Type: {kind.split(';')[0][:80]})" if kind else ""
    return ApiAnswerError(
        f"The answer's body {what}{told}.",
        advice="Check base_url and path: astrio expects JSON. If they are right, the API is at "
        "fault; nothing of this page was written.",
    )
