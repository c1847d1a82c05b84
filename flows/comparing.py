"""What has changed in a mapping since the last run, and what that does to records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.last_mapping import LastMapping, mapping_now
from astrio.flows.sampling import Judged
from astrio.tasks.mapping.compile import compile_mapping
from astrio.tasks.mapping.context import MappingContext


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was one way and is another; None: it was not there, or is no more."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ValueChange(Change):
    """A value of a record, by the record's 1-based number in the sample."""

    record: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different since a run.

    Attributes:
        since: when that run ended, ISO 8601.
        targets: expressions of the mapping.
        rules: entries of `validate`.
        values: of the sampled records, before the rules.
    """

    since: str
    targets: list[Change]
    rules: list[Change]
    values: list[ValueChange]


def changes(
    integration: Integration, last: LastMapping, records: list[Judged], context: MappingContext
) -> Changes | None:
    """Return what changed since the last run; None: nothing did."""
    now = mapping_now(integration)
    old, new = last.map or {}, now.map or {}
    targets = [
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name) or (name in old) != (name in new)
    ]
    rules = list(_rules(last.rules, now.rules))
    if not targets and not rules:
        return None
    return Changes(last.ended, targets, rules, list(_values(targets, last, records, context)))


def _rules(old: Any, new: Any) -> Iterator[Change]:
    before, after = ([*rules] if isinstance(rules, list) else [rules] for rules in (old, new))
    for rule in before:
        if rule not in after:
            yield Change(_field(rule), rule, None)
    for rule in after:
        if rule not in before:
            yield Change(_field(rule), None, rule)


def _field(rule: Any) -> str:
    return str(rule.get("field") or "") if isinstance(rule, dict) else ""


def _values(
    targets: list[Change], last: LastMapping, records: list[Judged], context: MappingContext
) -> Iterator[ValueChange]:
    try:
        before = compile_mapping(last.map, context)
    except ConfigurationError:
        return  # a function of the project's own, for one, may be gone
    for number, record in enumerate(records, start=1):
        told = {
            target: (value, problem) for target, value, problem in before.explain(record.source)
        }
        failed = {each.field: each.reason for each in record.problems if each.rule == "map"}
        for name in (target.name for target in targets):
            value, problem = told.get(name, (None, None))
            old, new = problem or value, failed.get(name) or record.mapped.get(name)
            if old != new or old.__class__ is not new.__class__:
                yield ValueChange(name, old, new, number)
