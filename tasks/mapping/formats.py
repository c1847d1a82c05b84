"""Formats of dates, written as in strftime: only what means the same on every machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from astrio.tasks.mapping.values import LiteralError, mismatch, reject

_DIRECTIVES: Final = "aAbBdHIjmMpSfyYzZ%uUVWGe"
_TIMES: Final = re.compile(r"%[HIMSfp]")
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
_LONGEST: Final = 100


def tells_time(form: str) -> bool:
    """Whether a format holds hours, minutes or seconds."""
    return _TIMES.search(form.replace("%%", "")) is not None


def _mistake(form: str, names: tuple[str, ...]) -> str | None:
    if form in names:
        return None
    found = _DIRECTIVE.findall(form)
    unknown = next((sign for sign in found if sign not in _DIRECTIVES or not sign), None)
    if unknown is not None:
        return f"The format knows no %{unknown}."
    if not found or len(form) > _LONGEST:
        known = "".join(f", or {name}" for name in names)
        return f"The format is written like %Y-%m-%d{known}."
    return None


def format_of(where: str, form: Any, *names: str) -> str:
    """Return the format of a call; `names` are formats that are called by a name."""
    if not isinstance(form, str):
        mismatch(where, "a format such as '%Y-%m-%d'", form)
    if mistake := _mistake(form, names):
        reject(f"{where}: {mistake}")
    return form


def prepared_format(place: int, *names: str) -> Callable[[int, Any], Any]:
    """Return a `prepare` for functions whose argument at `place` is a format."""

    def prepare(position: int, value: Any) -> Any:
        if position == place and isinstance(value, str) and (mistake := _mistake(value, names)):
            raise LiteralError(mistake)
        return value

    return prepare
