"""`map` and `filter`: the expressions."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression, check_mapping


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong with the mapping's targets and expressions, and with the filter."""
    mapping = root.at("map")
    if mapping and mapping.entries is not None:
        for problem in check_mapping(mapping.plain()):
            entry = mapping.entries.get(problem.target or "")
            value = entry.node if entry else mapping
            place = entry.place if entry and problem.offset is None else value.place
            if problem.offset is not None and isinstance(value.value, str):
                place = value.place_of(problem.offset)
            path = f"map.{problem.target}" if entry else "map"
            words = problem_words(problem, value)
            yield Mistake.at(place, path, words).within(value.value, problem.offset)
    for keys in (("source", "filter"), ("source", "parent", "filter")):
        condition = root.at(*keys)
        if condition and isinstance(condition.value, str):
            for problem in check_expression(condition.value):
                place = condition.place_of(problem.offset or 0)
                words = problem_words(problem, condition)
                found = Mistake.at(place, ".".join(keys), words)
                yield found.within(condition.value, problem.offset)
