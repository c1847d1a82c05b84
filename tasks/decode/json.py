"""JSON bodies (RFC 8259), with integers of any length exact."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.mapping.sent import sent
from astrio.tasks.mapping.values import LONGEST_NUMBER

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_FAULT = "The fault is the API's."
_EXACT: Final = msgspec.json.Decoder(float_hook=sent)
_EXPECTED = "Check base_url and path: JSON was expected."


class UnusableValueError(ApiAnswerError):
    """The body holds what no record can: what JSON cannot say (NaN), or too much nesting."""


def decode_json(content: bytes, headers: Mapping[str, str], *, exact: bool = False) -> Any:
    """Return the JSON value of a body; charset and byte order mark are honoured.

    With `exact`, fractions remember their digits as sent.

    Raises:
        ApiAnswerError: the body is no JSON (HTML, cut off, empty), or holds what JSON cannot
            say (NaN), or is nested too deeply.
    """
    try:
        return _EXACT.decode(content) if exact else msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _decode_with_care(
            content, headers.get("content-type", ""), sent if exact else _number
        )


def decode_as_told(content: bytes) -> Any:
    """Return a value in UTF-8 with texts for what JSON cannot say; None: it cannot be decoded."""
    try:
        return json.loads(content, parse_constant=str, parse_float=_number, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _decode_with_care(content: bytes, kind: str, fraction: Callable[[str], Any]) -> Any:
    """Decode what is legal JSON but too much for msgspec, or say what is wrong with it."""
    if not content.strip():
        raise _unusable("is empty", kind, _EXPECTED)
    try:
        text = _text(content, kind)
        return json.loads(
            text, parse_constant=_refuse_constant, parse_float=fraction, parse_int=_whole
        )
    except (UnicodeError, LookupError):
        raise _unusable("is not in the charset it claims", kind, _FAULT) from None
    except RecursionError:
        told = _unusable("is nested too deeply", kind, _EXPECTED)
        raise UnusableValueError(told.message, advice=told.advice) from None
    except _NotANumberError as error:
        told = _unusable(f"holds {error}, which is no JSON number", kind, _FAULT)
        raise UnusableValueError(told.message, advice=told.advice) from None
    except ValueError as error:
        raise _unusable(*_what_is_wrong(content, kind, error)) from None


def _text(content: bytes, kind: str) -> str:
    declared = _CHARSET.search(kind)
    if content.startswith(_BOM):
        return content.decode("utf-8-sig")
    if declared is not None:
        return content.decode(declared.group(1))
    return content.decode(json.detect_encoding(content))


class _NotANumberError(ValueError):
    """NaN or Infinity, which JavaScript knows and JSON does not."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotANumberError(name)


def _number(text: str) -> float | Decimal:
    """Keep a number exact that no float can hold."""
    value = float(text)
    return value if math.isfinite(value) else Decimal(text)


def _whole(text: str) -> int | Decimal:
    """Keep a number exact that is too long to be computed with (CVE-2020-10735)."""
    return int(text) if len(text) <= LONGEST_NUMBER else Decimal(text)


def _what_is_wrong(content: bytes, kind: str, error: ValueError) -> tuple[str, str, str]:
    if "html" in kind.lower() or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        advice = "Check base_url and path: a login, error or proxy page may answer there."
        return "is HTML or XML, not JSON", kind, advice
    if not isinstance(error, json.JSONDecodeError):
        return "holds what cannot be decoded", kind, _FAULT
    if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
        advice = "Run again; if it stays, ask for smaller pages."
        return f"is JSON that breaks off after {len(content):,} bytes", kind, advice
    return f"is no JSON (line {error.lineno}, column {error.colno})", kind, _EXPECTED


def _unusable(what: str, kind: str, advice: str) -> ApiAnswerError:
    told = f" (Content-Type: {kind.partition(';')[0][:80]})" if kind else ""
    return ApiAnswerError(f"The answer's body {what}{told}.", advice=advice)
