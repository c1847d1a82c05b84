"""What is told of an exception in the user's Python: its kind and place, and seldom its text."""

from __future__ import annotations

import inspect
import linecache
import re
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any

from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact
from astrio.tasks.python.folder import connectors_folder, shown

_LONGEST = 200
_RAISE = re.compile(r"\braise\b")


def one_line(text: str) -> str:
    """Return a text on one line, shortened, secrets masked."""
    text = " ".join(redact(text).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def reason_of(error: BaseException, file: str) -> str:
    """Return why the user's function refuses a record, and where.

    What the function itself raises as a ValueError, or as one of astrio's errors, is told in its
    own words. Of other errors only the kind is told: their texts repeat the record's values.

    Args:
        error: what was raised.
        file: where the function is written.
    """
    line = _line_in(error.__traceback__, file)
    where = f" ({shown(file)}, line {line})" if line else ""
    if isinstance(error, RecursionError):
        words = "the record is nested too deep"
    elif isinstance(error, AstrioError):
        words = one_line(error.message)
    elif isinstance(error, ValueError) and str(error) and _is_raised_here(error, file, line):
        words = one_line(str(error))
    else:
        words = f"it fails with {type(error).__name__}"
    return words + where


def place_of(error: BaseException) -> str:
    """Return where in the user's Python an exception comes from, as `FILE, line N`, or ""."""
    frames = [each for each in extract_tb(error.__traceback__) if each.filename[:1] != "<"]
    folder = connectors_folder()
    own = [each for each in frames if Path(each.filename).is_relative_to(folder)]
    last = (own or frames[-1:])[-1:]
    return f"{shown(last[0].filename)}, line {last[0].lineno}" if last else ""


def written_at(value: Any) -> str:
    """Return where a function or class is written, as `FILE, line N`, or ""."""
    try:
        file, (_, line) = inspect.getsourcefile(value), inspect.getsourcelines(value)
    except (TypeError, OSError):
        return ""
    return f"{shown(file)}, line {line}" if file else ""


def _line_in(trace: TracebackType | None, file: str) -> int:
    """Return the line of the innermost frame in a file, 0 if there is none."""
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _is_raised_here(error: BaseException, file: str, line: int) -> bool:
    """Whether the file has a `raise` there; the text is no built-in function's then."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    innermost = trace is not None and trace.tb_frame.f_code.co_filename == file
    return innermost and _RAISE.search(linecache.getline(file, line)) is not None
