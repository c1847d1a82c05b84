"""`{{…}}` in the source: only `vars`, `timestamp`, a parent and an event exist before a record."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_template
from astrio.tasks.settings import BODIES

_IN_REQUESTS = ("path", "params", "headers", *BODIES, "content_type")
_FILLED = (
    ("source", "api", "base_url"),
    ("source", "api", "headers"),
    *(("source", "request", key) for key in _IN_REQUESTS),
    *(("source", "parent", "request", key) for key in _IN_REQUESTS),
)


def check(root: Node) -> Iterator[Mistake]:
    """Yield placeholders that cannot be parsed, or that name nothing."""
    variables = root.at("vars")
    over = root.at("partitions", "over")
    known = {*((variables.entries if variables else None) or {}), "timestamp"}
    known |= {*((over.entries if over else None) or {})}
    children = {*known, "parent"} if root.at("source", "parent") else known
    if root.at("source", "webhook"):
        children = {*known, "event"}
    for keys in _FILLED:
        of_child = keys[:2] == ("source", "request")
        if below := root.at(*keys):
            for path, node in below.scalars(".".join(keys)):
                for problem in check_template(node.value, children if of_child else known):
                    place = node.place_of(problem.offset or 0)
                    yield Mistake.at(place, path, problem_words(problem, node))
