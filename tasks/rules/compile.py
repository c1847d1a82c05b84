"""Rules, compiled once and held against every row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.batch import Batch, Problem
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.rules.check import built_rules, check_rules
from astrio.tasks.rules.entry import Breach, Entry
from astrio.tasks.rules.field import Row
from astrio.tasks.rules.settings import RuleSettings
from astrio.tasks.rules.sheet import Sheet
from astrio.tasks.rules.unique import Unique

__all__ = ["CompiledRules", "check_rules", "compile_rules"]


class CompiledRules(Protocol):
    """Holds rows against the rules."""

    def validate(self, batch: Batch) -> Batch:
        """Return the batch with its rule-breaking rows moved to the rejects, all reasons given."""
        ...

    def explain(self, columns: Sequence[str], row: Row) -> list[Problem]:
        """Return every problem of one row, warnings too; nothing is remembered of it."""
        ...


class _Rules:
    """The entries of `validate:`, in their order; what compares records comes last."""

    def __init__(self, entries: Sequence[Entry], key: Sequence[str], *, nested: bool) -> None:
        self._entries = entries
        self._key = key
        self._nested = nested

    def validate(self, batch: Batch) -> Batch:
        if batch.page.restart:
            for entry in self._entries:
                for rule in entry.remembering:
                    cast("Unique", rule).forget()
        sheet = Sheet(batch.columns, batch.rows, self._nested, batch.fields)
        return self._judge(sheet, keep=True).sifted(batch, self._key)

    def explain(self, columns: Sequence[str], row: Row) -> list[Problem]:
        sheet = self._judge(Sheet(tuple(columns), [row], self._nested), keep=False)
        return [*sheet.problems.get(0, []), *sheet.warnings.get(0, [])]

    def _judge(self, sheet: Sheet, *, keep: bool) -> Sheet:
        places = [entry.judge(sheet) for entry in self._entries]
        for entry, chosen in zip(self._entries, places, strict=True):
            for rule in entry.remembering:
                self._compare(entry, cast("Unique", rule), chosen, sheet, keep=keep)
        return sheet

    def _compare(
        self, entry: Entry, rule: Unique, chosen: Sequence[int], sheet: Sheet, *, keep: bool
    ) -> None:
        """Judge the rows that broke no rule: a rejected record takes no value from another."""
        where = entry.where(sheet)
        keys = key_places(sheet.columns, self._key)
        whole = not keys or where.column in keys
        for place in chosen:
            row = sheet.rows[place]
            [value] = where.values([row])
            if value is None or place in sheet.problems:
                continue
            owner = row if whole else key_of(row, keys) or row
            if reason := _taken(rule, value, owner, keep=keep):
                entry.tell(sheet, place, rule, value, Breach(reason))


def _taken(rule: Unique, value: Any, owner: Any, *, keep: bool) -> str | None:
    try:
        return rule.reason(value) if rule.taken(value, owner, keep=keep) else None
    except AstrioError:
        raise
    except Exception as error:  # noqa: BLE001 (hostile data may raise anything)
        return f"cannot be judged ({type(error).__name__})"


def compile_rules(
    rules: Sequence[RuleSettings],
    columns: tuple[str, ...] | None,
    *,
    key: Sequence[str] = (),
    context: MappingContext | None = None,
) -> CompiledRules:
    """Compile the rules.

    Args:
        rules: the entries of `validate:`.
        columns: the mapping's targets; None: records pass through, and a field is a key of the
            record or a path into it.
        key: targets whose values identify a record among the rejects.
        context: the run's clock and zone, for expressions; by default this moment.

    Raises:
        ConfigurationError: the rules have mistakes (`check_rules` lists them).
    """
    mistakes = check_rules(rules, columns)
    if mistakes:
        listed = (f"{rules[each.entry].field}: {each.message}" for each in mistakes)
        raise ConfigurationError("\n".join(listed), advice="Correct the rules.")
    clock = context or MappingContext(datetime.now(UTC))
    entries = [Entry(each, built_rules(each)[0], clock) for each in rules]
    return _Rules(entries, key, nested=columns is not None)
