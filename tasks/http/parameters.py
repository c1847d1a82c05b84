"""Names and texts of query parameters and form fields: lists and objects on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.settings import ArrayStyle

_ITEM = {"repeat": "{name}", "brackets": "{name}[]", "indices": "{name}[{index}]"}
_DEEPEST = 32


def query_items(
    params: Mapping[str, Any], arrays: ArrayStyle = "repeat"
) -> Iterator[tuple[str, str]]:
    """Yield names and texts: None is left out, "" is sent empty, a bool is `true` or `false`.

    `{"a": {"b": 1}}` gives `a[b]=1`. A list follows `arrays`; objects and lists in a list are
    numbered in every style, since nothing else tells them apart.

    Raises:
        ConfigurationError: a list of objects, or a text with a comma, was to be joined by commas.
    """
    for name, value in params.items():
        yield from _items(name, value, arrays, _DEEPEST)


def text_of(value: Any) -> str:
    """Return a parameter's text; dates and times in ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _items(name: str, value: Any, arrays: ArrayStyle, room: int) -> Iterator[tuple[str, str]]:
    if not room:
        raise ConfigurationError(f"The parameter {name[:80]!r} is nested too deeply.")
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _items(f"{name}[{key}]", below, arrays, room - 1)
    elif isinstance(value, list | tuple):
        if arrays == "comma":
            yield from _joined(name, value)
            return
        for index, item in enumerate(value):
            style = "indices" if isinstance(item, Mapping | list | tuple) else arrays
            yield from _items(_ITEM[style].format(name=name, index=index), item, arrays, room - 1)
    elif value is not None:
        yield name, text_of(value)


def _joined(name: str, values: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    items = [item for item in values if item is not None]
    texts = [text_of(item) for item in items]
    nested = any(isinstance(item, Mapping | list | tuple) for item in items)
    if nested or any("," in text for text in texts):
        held = "objects or lists" if nested else "a text with a comma"
        raise ConfigurationError(
            f"The list {name!r} holds {held}, which `arrays: comma` cannot tell apart.",
            advice="Set request.arrays to repeat, brackets or indices, as the API documents.",
        )
    if texts:
        yield name, ",".join(texts)
