"""One entry of `validate:`, held against all rows of a batch at once, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.batch import Problem
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.rules.base import Rule
from astrio.tasks.rules.condition import Condition
from astrio.tasks.rules.field import Field, find_field
from astrio.tasks.rules.message import Message
from astrio.tasks.rules.records import record_maker
from astrio.tasks.rules.redaction import redacted
from astrio.tasks.rules.sanitizing import Sanitizing
from astrio.tasks.rules.settings import RuleSettings
from astrio.tasks.rules.sheet import Column, Sheet


class Breach(NamedTuple):
    """Why a value breaks a rule, and the 0-based place in the rule's expression if it fails."""

    reason: str
    offset: int | None = None


Breaches = dict[int, Breach]


class Entry:
    """An entry without mistakes, with the rules that it asks for."""

    def __init__(
        self, settings: RuleSettings, rules: Sequence[Rule], context: MappingContext
    ) -> None:
        """Compile what the entry says."""
        self._field = settings.field
        self._severity = settings.severity
        self._sanitizing = Sanitizing(settings.sanitize)
        self._when = None if settings.when is None else Condition(settings.when, context)
        self._message = (
            None if settings.message is None else Message(settings.message, settings.field, context)
        )
        for rule in rules:
            rule.begin(context)
        self._rules = [rule for rule in rules if not rule.remembers]
        self.remembering = [rule for rule in rules if rule.remembers]

    def judge(self, sheet: Sheet) -> Sequence[int]:
        """Sanitise, add the problems of rows that break a rule, rewrite values where a rule does.

        Returns:
            the places of the rows that the entry is for.
        """
        places = self._chosen(sheet)
        column = sheet.column(self.where(sheet), places)
        if self._sanitizing:
            self._sanitize(column, sheet)
        for rule in self._rules:
            subjects: Sequence[Any] = column.values
            if rule.sees_record:
                make = record_maker(sheet.columns, rule.names, nested=sheet.nested)
                subjects = [make(sheet.rows[place]) for place in places]
            broken = breaches(rule, subjects)
            for index, breach in broken.items():
                self.tell(sheet, places[index], rule, column.values[index], breach)
                if rule.sees_null:
                    column.values[index] = None  # what counts as missing is judged no further
            if rule.rewrites:
                column.replace(_rewritten(rule, column.values, broken), sheet)
        return places

    def where(self, sheet: Sheet) -> Field:
        """Return where the entry's field stands."""
        return Field(None) if self._field is None else find_field(self._field, sheet.columns)

    def tell(self, sheet: Sheet, place: int, rule: Rule | None, value: Any, why: Breach) -> None:
        """Add a problem of one row; without a rule it is one of `when`."""
        reason = why.reason
        if self._message is not None and rule is not None:
            make = record_maker(sheet.columns, self._message.names, nested=sheet.nested)
            reason = self._message.filled_in(value, make(sheet.rows[place]))
        when = self._when.text if self._when else None
        problem = Problem(
            self._field,
            rule.name if rule else "when",
            reason,
            None if self._field is None else redacted(value),
            rule.expression if rule else when,
            None if why.offset is None else why.offset + 1,
            self._severity,
        )
        sheet.add(place, problem)

    def _chosen(self, sheet: Sheet) -> Sequence[int]:
        if self._when is None:
            return range(len(sheet.rows))
        make = record_maker(sheet.columns, self._when.names, nested=sheet.nested)
        chosen: list[int] = []
        for place, row in enumerate(sheet.rows):
            try:
                if self._when.holds(make(row)):
                    chosen.append(place)
            except RecordRejectedError as error:
                [value] = self.where(sheet).values([row])
                self.tell(sheet, place, None, value, Breach(error.message, error.offset))
        return chosen

    def _sanitize(self, column: Column, sheet: Sheet) -> None:
        done, refused = self._sanitizing.all_applied(column.values)
        for index, reason in refused.items():
            told = redacted(column.values[index])
            problem = Problem(self._field, "sanitize", reason, told, severity=self._severity)
            sheet.add(column.places[index], problem)
        column.replace(dict(enumerate(done)), sheet)


def _rewritten(rule: Rule, values: Sequence[Any], broken: Breaches) -> dict[int, Any]:
    return {
        index: rule.rewritten(value)
        for index, value in enumerate(values)
        if value is not None and index not in broken
    }


def breaches(rule: Rule, values: Sequence[Any]) -> Breaches:
    """Return which values break a rule and why; whatever they are, nothing is raised."""
    try:
        return {
            place: Breach(why)
            for place in rule.suspects(values)
            if ((value := values[place]) is not None or rule.sees_null)
            and (why := rule.reason(value)) is not None
        }
    except Exception:  # noqa: BLE001 (hostile data may raise anything)
        one_by_one = ((place, _breach(rule, value)) for place, value in enumerate(values))
        return {place: breach for place, breach in one_by_one if breach is not None}


def _breach(rule: Rule, value: Any) -> Breach | None:
    if value is None and not rule.sees_null:
        return None
    try:
        why = rule.reason(value)
    except RecordRejectedError as error:
        return Breach(error.message, error.offset)
    except Exception as error:  # noqa: BLE001 (hostile data may raise anything)
        return Breach(f"cannot be judged ({type(error).__name__})")
    return None if why is None else Breach(why)
