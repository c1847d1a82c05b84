"""type url: an absolute http or https address with a host, as the WHATWG's URL standard reads it.

Read by pydantic (the `url` of Rust). What the standard would only mend is refused: blanks,
control characters, backslashes, a missing `//`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule

_CHARACTER = r"[^\s\x00-\x20\x7f\\<>\"^`{|}"
_WRITTEN = re.compile(rf"https?://{_CHARACTER}/?#]+{_CHARACTER}]*", re.IGNORECASE)
_LONGEST = 8_192


class Url(TypeRule):
    """`type: url`, or `validator: url`."""

    name = "url"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no address."""
        if not isinstance(value, str):
            return f"is {kind(value)}; a URL is text"
        if len(value) <= _LONGEST and _WRITTEN.fullmatch(value) and _read(value):
            return None
        return "is no URL such as https://example.com/path"


@cache
def _reader() -> Any:
    from pydantic import AnyHttpUrl, TypeAdapter

    return TypeAdapter(AnyHttpUrl)


def _read(text: str) -> bool:
    try:
        url = _reader().validate_python(text)
    except ValueError:
        return False
    return bool(url.host)
