"""The union of all schemes, written out or by name, for sources and targets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from astrio.blocks.settings import subclasses_in, tagged_union
from astrio.blocks.webhooks import schemes
from astrio.blocks.webhooks.schemes.base import Scheme


def written_out(value: Any) -> Any:
    """Return a scheme's settings; its name alone is the scheme with its defaults.

    A form has one text for it: the name, or the settings as JSON.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("write a scheme as its name, or as JSON with its `type`") from None
    return {"type": text}


def scheme_names() -> list[str]:
    """Return the name of every scheme."""
    found: list[type[Any]] = list(subclasses_in(schemes, Scheme))  # type: ignore[type-abstract] # it is only compared
    return sorted(each.kind() for each in found)


if TYPE_CHECKING:
    AnyScheme = Scheme
else:
    _Settings = tagged_union(schemes, Scheme)
    AnyScheme = Annotated[
        _Settings, BeforeValidator(written_out, json_schema_input_type=_Settings | str)
    ]
