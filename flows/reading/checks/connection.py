"""`source.api` and `source.request`: URLs that are filled in later."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.blocks.api import check_base_url
from astrio.blocks.secrets import REFERENCE
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.tasks.mapping.parser import PLACEHOLDER


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong around the `{{…}}` and `${…}` of `base_url`, and with `path`."""
    base_url, path = root.at("source", "api", "base_url"), root.at("source", "request", "path")
    if base_url and isinstance(base_url.value, str):
        # What is filled in stands for some text without special characters.
        filled = PLACEHOLDER.sub("filled", REFERENCE.sub("filled", base_url.value))
        if filled != base_url.value and not filled.startswith("filled"):
            try:
                check_base_url(filled)
            except ValueError as error:
                yield Mistake.at(base_url.place, "source.api.base_url", str(error))
    if path and "://" in str(path.value).partition("?")[0]:
        words = "`path` is joined to `base_url`: leave out https:// and the host"
        yield Mistake.at(path.place, "source.request.path", words)
