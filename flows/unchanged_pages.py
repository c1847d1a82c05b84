"""`push.unchanged: skip`: what it is not for, and how a run comes to skip pages."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final, NamedTuple

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.plan import Plan
from astrio.flows.projecting import is_plain_json
from astrio.tasks.decode.keys import keys_to
from astrio.tasks.mapping.finding import find_function
from astrio.tasks.mapping.parser import parse_expression, parse_value
from astrio.tasks.mapping.syntax import Call, ExpressionError, Literal, Node, walk
from astrio.tasks.options import RunOptions
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.rules.settings import KnownValues, RuleSettings
from astrio.tasks.unchanged.known import KnownPages
from astrio.tasks.unchanged.skipping import Skipping
from astrio.tasks.unchanged.unread import PageReader

CLOCK: Final = frozenset({"now", "calculate_age"})
"""Functions that give another value for the same record on another day."""
_FORM: Final = 1
_SOURCE: Final = {"records", "allow_missing", "filter", "response"}


class Obstacle(NamedTuple):
    """What `unchanged: skip` cannot be used with.

    Attributes:
        path: the keys that lead to it in the file.
        words: why, and what to do.
    """

    path: tuple[str | int, ...]
    words: str


def page_fingerprint(integration: Integration, options: RunOptions) -> str | None:
    """Return a name of all that decides what becomes of a page; None: none is to be known again.

    Raises:
        ConfigurationError: the integration cannot skip pages.
    """
    if integration.push.unchanged != "skip":
        return None
    for path, words in obstacles(integration):
        where = ".".join(map(str, path))
        raise ConfigurationError(f"`push.unchanged: skip` ({where}): {words}.")
    if (options.since, options.until, options.limit) != (None, None, None):
        return None
    shaping: dict[str, Any] = {
        "form": [_FORM, version("astrio"), platform.python_version()],
        "push": integration.push.model_dump(mode="json", exclude={"to"}),
        "source": integration.source.model_dump(mode="json", include=_SOURCE),
        **integration.model_dump(mode="json", include={"map", "rules", "vars"}),
    }
    return hashlib.sha256(json.dumps(shaping, default=str).encode()).hexdigest()


def skipping(
    plan: Plan, integration: Integration, options: RunOptions, known: KnownPages | None
) -> Plan:
    """Return the plan that skips pages which are known; a full refresh compares all the same.

    Args:
        plan: what to do.
        integration: its key.
        options: of the run.
        known: the pages; None: none are to be known again.
    """
    keys = keys_to(integration.source.records)
    if known is None or keys is None or not isinstance(plan.reading, ReadPlan):
        return plan
    known = KnownPages() if options.full_refresh else known
    reading = plan.reading
    reader = PageReader(known, reading.answers, reading.records, keys)
    mapping = Skipping(plan.mapping, known, integration.push.key, reading.keep)
    return replace(plan, reading=replace(reading, pages=reader), mapping=mapping)


def obstacles(integration: Integration) -> Iterator[Obstacle]:
    """Yield what makes it impossible to tell by a page alone that it changes nothing."""
    yield from _of_push(integration)
    yield from _of_source(integration)
    if integration.quality:
        words = "its figures are of all records, and skipped ones are not looked at: leave out"
        yield Obstacle(("quality",), f"{words} one of the two")
    if integration.partitions is not None:
        words = "parts are written one beside the other, and none of them knows all pages"
        yield Obstacle(("partitions",), words)
    if integration.map is None:
        words = "it needs `map`: without it, the columns are those that the records bring"
        yield Obstacle(("map",) if integration.transform is None else ("transform",), words)
    for target, value in (integration.map or {}).items():
        yield from _of_expression(("map", target), [value])
    yield from _of_rules(integration)


def _of_push(integration: Integration) -> Iterator[Obstacle]:
    push = integration.push
    if push.mode != "upsert":
        words = f"`mode: {push.mode}` does not compare records with rows: it needs `mode: upsert`"
        yield Obstacle(("push", "mode"), words)
    if push.vanished.rows != "keep":
        words = "which rows have vanished can be told only where every record is looked at"
        yield Obstacle(("push", "vanished"), words)
    if push.children:
        yield Obstacle(("push", "children"), "tables of children are compared with every run")
    if push.deleted is not None:
        yield from _of_expression(("push", "deleted"), [push.deleted.when])


def _of_source(integration: Integration) -> Iterator[Obstacle]:
    source = integration.source
    if source.incremental is not None:
        words = "an incremental run asks for what has changed, so there is nothing to skip"
        yield Obstacle(("source", "incremental"), words)
    for name in ("parent", "export", "python", "webhook", "event"):
        if getattr(source, name) is not None:
            words = f"pages are known again where one request leads to the next: not with `{name}`"
            yield Obstacle(("source", name), words)
    if keys_to(source.records) is None:
        words = "the records must be found by keys alone, such as $.data.orders"
        yield Obstacle(("source", "records"), words)
    if not is_plain_json(source.response) or source.response.failed is not None:
        words = "answers must be JSON, judged by nothing in their bodies: leave `response` out"
        yield Obstacle(("source", "response"), words)
    if source.filter is not None:
        yield from _of_expression(("source", "filter"), [source.filter])


def _of_rules(integration: Integration) -> Iterator[Obstacle]:
    if isinstance(integration.rules, str):
        words = "a model or function of your own may look at more than the record"
        yield Obstacle(("validate",), words)
        return
    for place, rule in enumerate(integration.rules):
        path = ("validate", place)
        if rule.unique or _named(rule, "unique"):
            words = "`unique` compares a record with all others, and skipped ones are not looked at"
            yield Obstacle(path, words)
        if isinstance(rule.exists_in, str | KnownValues) or _named(rule, "exists_in"):
            yield Obstacle(path, "the file of `exists_in` may change while the page does not")
        texts = [text for text in (rule.expr, rule.when) if text is not None]
        yield from _of_expression(path, texts, parse=parse_expression)


def _named(rule: RuleSettings, name: str) -> bool:
    return rule.validator is not None and rule.validator.partition(":")[0].strip() == name


def _of_expression(
    path: tuple[str | int, ...], values: Iterable[Any], parse: Any = parse_value
) -> Iterator[Obstacle]:
    """Yield what gives another value for the same record at another time."""
    for value in values:
        try:
            node: Node = parse(value)
        except ExpressionError:
            continue  # it is refused for itself
        for call in walk(node):
            words = _outside(call) if isinstance(call, Call) else None
            if words is not None:
                yield Obstacle(path, words)


def _outside(call: Call) -> str | None:
    """Return what a function's call rests on besides the record, None if nothing."""
    name, found = call.name, find_function(call.name)
    texts = [each.value for each in call.children if isinstance(each, Literal)]
    if name in CLOCK:
        return f"{name}() gives another value on another day, while the page stays the same"
    if found is not None and found.origin:
        return f"{name}() is your own, and may give another value for the same record"
    if name == "lookup" and _of_file(call):
        return "the file of lookup() may change while the page does not: write the table out"
    if any(isinstance(text, str) and "${" in text for text in texts):
        return f"what {name}() takes from the environment may change while the page does not"
    return None


def _of_file(call: Call) -> bool:
    second = call.children[1] if len(call.children) > 1 else None
    return isinstance(second, Literal) and isinstance(second.value, str)
