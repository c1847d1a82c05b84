"""`{{…}}` in the source: only `vars` and `timestamp` exist before any record does."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_template
from astrio.tasks.settings import BODIES

_FILLED = (
    ("source", "api", "base_url"),
    ("source", "api", "headers"),
    ("source", "request", "path"),
    ("source", "request", "params"),
    ("source", "request", "headers"),
    *(("source", "request", kind) for kind in (*BODIES, "content_type")),
)


def check(root: Node) -> Iterator[Mistake]:
    """Yield placeholders that cannot be parsed, or that name nothing."""
    variables = root.at("vars")
    known = {*((variables.entries if variables else None) or {}), "timestamp"}
    for keys in _FILLED:
        if below := root.at(*keys):
            for path, node in below.scalars(".".join(keys)):
                for problem in check_template(node.value, known):
                    place = node.place_of(problem.offset or 0)
                    yield Mistake.at(place, path, problem_words(problem, node))
