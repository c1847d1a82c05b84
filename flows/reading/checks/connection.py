"""Connections and the paths below them: URLs that are filled in later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from astrio.blocks.api import check_base_url
from astrio.blocks.secrets import REFERENCE
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.mapping.parser import PLACEHOLDER

_APIS: Final[tuple[tuple[str, ...], ...]] = (("source", "api"), ("push", "to", "api"))
_PATHS: Final[tuple[tuple[str, ...], ...]] = (
    ("source", "request", "path"),
    *(("push", "to", step, "path") for step in ("request", "update", "lookup")),
)


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong around the `{{…}}` and `${…}` of `base_url`, and with `path`."""
    for keys in _APIS:
        base_url = root.at(*keys, "base_url")
        if base_url and isinstance(base_url.value, str):
            # What is filled in stands for some text without special characters.
            filled = PLACEHOLDER.sub("filled", REFERENCE.sub("filled", base_url.value))
            if filled != base_url.value and not filled.startswith("filled"):
                try:
                    check_base_url(filled)
                except ValueError as error:
                    yield Mistake.at(base_url.place, ".".join((*keys, "base_url")), str(error))
    for keys in _PATHS:
        path = root.at(*keys)
        if path and "://" in str(path.value).partition("?")[0]:
            words = "`path` is joined to `base_url`: leave out https:// and the host"
            yield Mistake.at(path.place, ".".join(keys), words)
