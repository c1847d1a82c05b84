"""Regular expressions in linear time: RE2, as google-re2 brings it; no pattern can hang a run.

Its syntax is that of Python's `re` without look-around and back-references.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from astrio.tasks.mapping.values import LiteralError, mismatch, reject

LONGEST_PATTERN: Final = 1_000
_MEMORY: Final = 8 << 20
_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class Regex:
    """A compiled pattern with so many groups in brackets."""

    compiled: Any
    groups: int

    def search(self, value: str) -> Any:
        """Return the first match, or None; a text that is no Unicode matches nothing."""
        try:
            return self.compiled.search(value)
        except UnicodeEncodeError:
            return None

    def replace(self, where: str, new: str, value: str) -> str:
        r"""Return the text with every match replaced; `\\1` in `new` is the first group's text."""
        try:
            return str(self.compiled.sub(new, value))
        except UnicodeEncodeError:
            reject(f"{where}: half of a surrogate pair is no character")
        except Exception:  # noqa: BLE001 (re2.Error, IndexError: groups that are not there)
            reject(f"{where}: the replacement names a group that the pattern does not have")


@lru_cache(_REMEMBERED)
def compile_regex(pattern: str) -> Regex:
    """Compile a pattern.

    Raises:
        LiteralError: it is longer than 1,000 characters, or no regular expression of RE2.
    """
    import re2

    if len(pattern) > LONGEST_PATTERN:
        raise LiteralError(f"The pattern is longer than {LONGEST_PATTERN:,} characters.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise LiteralError(f"The pattern is no regular expression: {_told(error)}.") from None
    except UnicodeEncodeError:
        raise LiteralError("Half of a surrogate pair is no character.") from None
    return Regex(compiled, compiled.groups)


def _told(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    if "(?" in text:
        return f"{text} (RE2 has no look-around and no back-references)"
    return text


def regex_of(where: str, pattern: Any) -> Regex:
    """Return the pattern of a call: compiled before, or text that comes from a record."""
    if isinstance(pattern, Regex):
        return pattern
    if not isinstance(pattern, str):
        mismatch(where, "a regular expression", pattern)
    try:
        return compile_regex(pattern)
    except LiteralError as error:
        reject(f"{where}: {error}")


def prepared_pattern(place: int) -> Callable[[int, Any], Any]:
    """Return a `prepare` for functions whose argument at `place` is a pattern."""

    def prepare(position: int, value: Any) -> Any:
        return compile_regex(value) if position == place and isinstance(value, str) else value

    return prepare
