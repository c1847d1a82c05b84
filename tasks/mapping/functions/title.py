"""title(text): each word with a capital letter in front and small ones after it."""

from __future__ import annotations

import re
from typing import Any, Final

from astrio.tasks.mapping.values import text

EXAMPLES = [
    ("title('ada LOVELACE')", "Ada Lovelace"),
    ("title(\"it's o'clock\")", "It's O'clock"),
    ("title(null)", None),
]
REJECTS = ["title(1)"]
_WORD: Final = re.compile(r"\w[\w'\u2019]*")


def call(value: Any) -> str | None:
    """Capitalise the words."""
    if value is None:
        return None
    return _WORD.sub(lambda word: word[0].capitalize(), text("title()", value))
