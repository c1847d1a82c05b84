"""`validate: module:name`: a pydantic model, or a function of the user's own, as the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from pydantic import BaseModel

from astrio.tasks.python.copying import copied
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.references import Target, plain_function, resolve

Rules = type[BaseModel] | Callable[[dict[str, Any]], Any]


def model_or_function(reference: str) -> Rules:
    """Return the referenced model, or the function, which then gets a copy of each row.

    Raises:
        PythonError: it is neither, or takes no row.
    """
    rules = rules_of(resolve(reference))
    if isinstance(rules, type):
        return rules

    @wraps(rules)
    def judge(row: dict[str, Any]) -> Any:
        return rules(copied(row))

    return judge


def rules_of(target: Target) -> Rules:
    """Return the model or function that a reference stands for; raises as `model_or_function`."""
    value = target.value
    if isinstance(value, type):
        if issubclass(value, BaseModel):
            return value
        at = f" ({target.place})" if target.place else ""
        raise PythonError(
            f"`{target.reference}` is a class, but no pydantic model{at}.",
        )
    return plain_function(target, "validate")
