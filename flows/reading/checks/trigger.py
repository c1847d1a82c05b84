"""Triggers and webhooks: expressions, placeholders, and secrets that are written out."""

from __future__ import annotations

from collections.abc import Iterator

from astrio.blocks.literals import SENSITIVE_NAME
from astrio.blocks.secrets import is_reference
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression, check_template


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong with a trigger's expressions, and secrets of webhooks as warnings."""
    if root.entry("on") is not None:
        yield from _expressions(root)
    for path, node in _secrets(root):
        if isinstance(node.value, str) and node.value and not is_reference(node.value):
            words = f"a secret is written out in `{path}`: use ${{env:NAME}} and set the variable"
            yield Mistake.at(node.place, path, words, warning=True)


def _expressions(root: Node) -> Iterator[Mistake]:
    for key in ("filter", "order_by"):
        condition = root.at(key)
        if condition and isinstance(condition.value, str):
            for problem in check_expression(condition.value):
                place = condition.place_of(problem.offset or 0)
                found = Mistake.at(place, key, problem_words(problem, condition))
                yield found.within(condition.value, problem.offset)
    payload = root.at("payload")
    for path, node in payload.scalars("payload") if payload else ():
        for problem in check_template(node.value):
            place = node.place_of(problem.offset or 0)
            yield Mistake.at(place, path, problem_words(problem, node))


def _secrets(root: Node) -> Iterator[tuple[str, Node]]:
    to = root.at("push", "to")
    for each in (to.items or (to,)) if to else ():
        for target in (each, each.at("webhook")):
            if target is None or not each.entry("webhook"):
                continue
            if secret := target.at("secret"):
                yield from secret.scalars("push.to.secret")
            headers = target.at("headers")
            for name, entry in ((headers.entries if headers else None) or {}).items():
                if SENSITIVE_NAME.search(name):
                    yield from entry.node.scalars(f"push.to.headers.{name}")
