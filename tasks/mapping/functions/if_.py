"""if(condition, then, else): one value or the other; `else` may be left out and is null then.

Null, false, 0, "", [] and {} count as false. Only the chosen value is computed.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.emission import Emission

EXAMPLES = [
    ("if(true, 'active', 'inactive')", "active"),
    ("if(null, 1, 2)", 2),
    ("if('', 1)", None),
    ("if(true, 1, int('never computed'))", 1),
]


def call(condition: Any, then: Any, otherwise: Any = None) -> Any:
    """Choose one."""
    return then if condition else otherwise


def emit(_: Emission, condition: str, then: str, otherwise: str = "None") -> str:
    """Choose by a conditional expression."""
    return f"({then} if {condition} else {otherwise})"
