"""Rules, compiled once and held against every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.batch import Batch, Problem, Reject
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.projected import picked
from astrio.tasks.rules.base import Rule
from astrio.tasks.rules.check import built_rules, check_rules
from astrio.tasks.rules.field import Field, Row, find_field
from astrio.tasks.rules.settings import RuleSettings

__all__ = ["CompiledRules", "check_rules", "compile_rules"]


@dataclass(slots=True)
class _Judgement:
    """Rows as the rules leave them, and the problems of those that break one, by their place."""

    rows: list[Row]
    problems: dict[int, list[Problem]] = field(default_factory=dict)


class CompiledRules:
    """Holds rows against the rules."""

    def __init__(self, entries: Sequence[RuleSettings], key: Sequence[str]) -> None:
        """Take the entries of `validate:`, checked before, and the push key's targets."""
        self._entries = [_Entry(settings) for settings in entries]
        self._key = key

    def validate(self, batch: Batch) -> Batch:
        """Return the batch with its rule-breaking rows moved to the rejects, all reasons given."""
        judged = self._judge(batch.columns, batch.rows)
        problems = judged.problems
        if not problems:
            return Batch(batch.page, batch.columns, judged.rows, batch.sources, batch.rejects)
        places = key_places(batch.columns, self._key)
        rejects = [
            Reject(batch.sources[place], found, key_of(judged.rows[place], places))
            for place, found in sorted(problems.items())
        ]
        kept = [place for place in range(len(judged.rows)) if place not in problems]
        return Batch(
            batch.page,
            batch.columns,
            [judged.rows[place] for place in kept],
            picked(batch.sources, kept),
            batch.rejects + rejects,
        )

    def explain(self, columns: Sequence[str], row: Row) -> list[Problem]:
        """Return every problem of one row."""
        return self._judge(columns, [row]).problems.get(0, [])

    def _judge(self, columns: Sequence[str], rows: list[Row]) -> _Judgement:
        judged = _Judgement(rows)
        for entry in self._entries:
            entry.judge(find_field(entry.field, columns), judged)
        return judged


class _Entry:
    """One entry of `validate:` with the rules it asks for."""

    def __init__(self, settings: RuleSettings) -> None:
        self.field = settings.field
        self._rules = built_rules(settings)
        self._message = settings.message and settings.message.replace("{field}", settings.field)

    def judge(self, where: Field, judged: _Judgement) -> None:
        """Add the problems of the rows that break a rule, rewrite values where a rule does."""
        values: list[Any] = where.values(judged.rows)
        for rule in self._rules:
            broken = self._broken(rule, values)
            for place, reason in broken.items():
                problem = Problem(self.field, rule.name, self._message or reason)
                judged.problems.setdefault(place, []).append(problem)
                if rule.sees_null:
                    values[place] = None  # what counts as missing is judged no further
            if rule.rewrites:
                self._rewrite(rule, where, values, judged, broken)

    def _broken(self, rule: Rule, values: list[Any]) -> dict[int, str]:
        reason, sees_null = rule.reason, rule.sees_null
        return {
            place: why
            for place, value in enumerate(values)
            if (value is not None or sees_null) and (why := reason(value)) is not None
        }

    def _rewrite(
        self,
        rule: Rule,
        where: Field,
        values: list[Any],
        judged: _Judgement,
        broken: dict[int, str],
    ) -> None:
        rows = judged.rows.copy()
        for place, value in enumerate(values):
            if value is not None and place not in broken:
                values[place] = new = rule.rewritten(value)
                if new != value:
                    rows[place] = where.replaced(rows[place], new)
        judged.rows = rows


def compile_rules(
    rules: Sequence[RuleSettings], columns: tuple[str, ...] | None, *, key: Sequence[str] = ()
) -> CompiledRules:
    """Compile the rules.

    Args:
        rules: the entries of `validate:`.
        columns: the mapping's targets; None: records pass through, and a field is a key of the
            record or a path into it.
        key: targets whose values identify a record among the rejects.

    Raises:
        ConfigurationError: the rules have mistakes (`check_rules` lists them).
    """
    mistakes = check_rules(rules, columns)
    if mistakes:
        listed = (f"{rules[place].field}: {message}" for place, _, message in mistakes)
        raise ConfigurationError("\n".join(listed), advice="Correct the rules.")
    return CompiledRules(rules, key)
