"""slugify(text): small letters and digits with hyphens in between, as in addresses.

Accents are dropped; letters of other scripts stay.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from astrio.tasks.mapping.values import text

EXAMPLES = [
    ("slugify('Crème Brûlée, 2 Stück!')", "creme-brulee-2-stuck"),
    ("slugify('  ')", ""),
    ("slugify(null)", None),
]
REJECTS = ["slugify(1)"]
_OTHERS: Final = re.compile(r"[\W_]+")


def call(value: Any) -> str | None:
    """Reduce to letters and digits."""
    if value is None:
        return None
    parts = unicodedata.normalize("NFKD", text("slugify()", value).casefold())
    plain = "".join(sign for sign in parts if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", _OTHERS.sub("-", plain).strip("-"))
