"""Holding single values and records against rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from astrio.tasks.batch import Batch, Page
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.rules.compile import CompiledRules, compile_rules
from astrio.tasks.rules.settings import RuleSettings

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def compiled(
    *entries: dict[str, Any],
    columns: tuple[str, ...] | None = ("x",),
    key: Sequence[str] = (),
) -> CompiledRules:
    settings = [RuleSettings.model_validate(entry) for entry in entries]
    return compile_rules(settings, columns, key=key, context=CONTEXT)


def judged(rule: dict[str, Any], value: Any) -> list[str]:
    """Return the reasons why a value breaks a rule."""
    problems = compiled({"field": "x", **rule}).explain(("x",), (value,))
    return [problem.reason for problem in problems]


def accepts(rule: dict[str, Any], value: Any) -> bool:
    return judged(rule, value) == []


def rewritten(rule: dict[str, Any], value: Any) -> Any:
    """Return the value as an accepting rule leaves it."""
    batch = compiled({"field": "x", **rule}).validate(Batch(Page(1), ("x",), [(value,)], [{}]))
    return batch.rows[0][0]


def batch(columns: tuple[str, ...], *rows: tuple[Any, ...], page: Page | None = None) -> Batch:
    return Batch(page or Page(1), columns, list(rows), list(range(len(rows))))
