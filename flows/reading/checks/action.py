"""Actions: placeholders, and secrets that are written out in the URL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, urlsplit

from astrio.blocks.literals import SENSITIVE_NAME
from astrio.blocks.secrets import is_reference
from astrio.flows.reading.actions import is_action, sends_an_action
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node
from astrio.flows.reading.wording import problem_words
from astrio.tasks.mapping.check import check_expression, check_template

# Of these, nothing is filled in.
_FIXED = ("auth", "timeout", "limits", "tls", "proxy", "response", "allow_hosts")


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is wrong with an action's placeholders and expressions; secrets as warnings."""
    to = root.at("push", "to")
    if to is None or to.entries is None or not (is_action(root) or sends_an_action(root)):
        return
    fixed = [entry for key in _FIXED if (entry := to.entry(key))]
    known = _known(root)
    for key, entry in to.entries.items():
        if entry not in fixed:
            for path, node in entry.node.scalars(f"push.to.{key}"):
                yield from _problems(path, node, known)
    for key in ("success", "retry", "unauthorized"):
        judge = to.at("response", key)
        if judge and isinstance(judge.value, str):
            for problem in check_expression(judge.value):
                place = judge.place_of(problem.offset or 0)
                yield Mistake.at(place, f"push.to.response.{key}", problem_words(problem, judge))
    yield from _in_url(to.at("url"))


def _problems(path: str, node: Node, known: Collection[str] | None) -> Iterator[Mistake]:
    for problem in check_template(node.value, known):
        place = node.place_of(problem.offset or 0)
        found = Mistake.at(place, path, problem_words(problem, node))
        yield found.within(node.value, problem.offset)


def _known(root: Node) -> set[str] | None:
    """Return what placeholders may name: after a mapping its targets, else any."""
    mapping, variables = root.at("map"), root.at("vars")
    if mapping is None or mapping.entries is None:
        return None
    names = {target.partition(".")[0] for target in mapping.entries}
    names |= {"record", "idempotency_key"} if sends_an_action(root) else set()
    return {*names, *((variables.entries if variables else None) or {}), "timestamp"}


def _in_url(url: Node | None) -> Iterator[Mistake]:
    if url is None or not isinstance(url.value, str):
        return
    for name, value in parse_qsl(urlsplit(url.value).query):
        if SENSITIVE_NAME.search(name) and not is_reference(value):
            words = f"a secret is written out in the URL (`{name}`): use ${{env:NAME}}"
            yield Mistake.at(url.place, "push.to.url", words, warning=True)
