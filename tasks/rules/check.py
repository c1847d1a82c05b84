"""Finding the mistakes in rules before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from astrio.tasks.rules.base import Rule, RuleError, kinds, type_names
from astrio.tasks.rules.expressions import expression_mistakes
from astrio.tasks.rules.field import field_mistake, find_field
from astrio.tasks.rules.sanitizing import sanitizer_mistake
from astrio.tasks.rules.settings import RuleSettings

_EXPR = "expr:"


@dataclass(frozen=True, slots=True)
class RuleMistake:
    """One thing wrong in an entry of `validate:`.

    Attributes:
        key: the entry's key, None if the entry as a whole is wrong.
        message: a sentence.
        offset: 0-based character of the key's text; None: the whole value.
        item: which element of the key's list, None if the value is none.
        entry: the entry's place in the list.
    """

    key: str | None
    message: str
    offset: int | None = None
    item: int | None = None
    entry: int = 0


def check_rules(
    rules: Sequence[RuleSettings], targets: Collection[str] | None
) -> list[RuleMistake]:
    """Return every mistake.

    Args:
        rules: the entries of `validate:`.
        targets: the mapping's targets; None: records pass through.
    """
    return [
        RuleMistake(found.key, found.message, found.offset, found.item, place)
        for place, settings in enumerate(rules)
        for found in _mistakes(settings, targets)
    ]


def built_rules(settings: RuleSettings) -> tuple[list[Rule], list[RuleError]]:
    """Return the rules that an entry asks for, in the order they judge, and what is wrong."""
    built: list[Rule] = []
    wrong: list[RuleError] = []
    for kind in kinds().values():
        argument = kind.asked(settings)
        if argument is not None:
            try:
                built.append(kind(argument, settings))
            except RuleError as error:
                wrong.append(error)
    if settings.validator is not None:
        try:
            built.append(_short_form(settings.validator, settings))
        except RuleError as error:
            wrong.append(error)
    return sorted(built, key=lambda rule: rule.order), wrong


def _short_form(text: str, settings: RuleSettings) -> Rule:
    name, _, argument = text.partition(":")
    kind = kinds().get(name.strip())
    if kind is None:
        raise RuleError(f"There is no validator {name!r}. {_known(name, kinds())}", "validator")
    try:
        return kind(kind.from_text(argument), settings)
    except RuleError as error:
        key = error.key if kind.sees_record or error.key in kind.options else "validator"
        raise RuleError(error.message, key) from None


def _mistakes(settings: RuleSettings, targets: Collection[str] | None) -> Iterator[RuleMistake]:
    rules, wrong = built_rules(settings)
    yield from _in_field(settings, rules, targets)
    yield from _in_expressions(settings, targets)
    for error in wrong:
        if error.key != "expr":  # told above, with its place
            yield RuleMistake(error.key, error.message, error.offset)
    for place, name in enumerate(settings.sanitize):
        if mistake := sanitizer_mistake(name):
            yield RuleMistake("sanitize", mistake, item=place)
    if settings.type is not None and settings.type not in type_names():
        known = _known(settings.type, type_names())
        yield RuleMistake("type", f"There is no type {settings.type!r}. {known}")
    elif not rules and not wrong and not settings.sanitize:
        listed = ", ".join(sorted({kind.key for kind in kinds().values()} | {"validator"}))
        yield RuleMistake(None, f"The entry asks for no rule. Add one of: {listed}.")
    elif not wrong:
        yield from _idle_options(settings, rules)
        if settings.min is not None and settings.max is not None and settings.max < settings.min:
            yield RuleMistake("max", "`max` is less than `min`, so that no value passes.")


def _in_field(
    settings: RuleSettings, rules: Sequence[Rule], targets: Collection[str] | None
) -> Iterator[RuleMistake]:
    if settings.field is not None:
        if mistake := _field_mistake(settings.field, targets):
            yield RuleMistake("field", mistake)
    elif settings.expr is None or settings.sanitize or not all(rule.sees_record for rule in rules):
        yield RuleMistake(None, "`field` is missing: only an entry of `expr` can do without.")


def _in_expressions(
    settings: RuleSettings, targets: Collection[str] | None
) -> Iterator[RuleMistake]:
    short = settings.validator or ""
    start = len(_EXPR) if short.startswith(_EXPR) else 0
    for key, text, skipped in (
        ("expr", settings.expr, 0),
        ("when", settings.when, 0),
        ("message", settings.message, 0),
        ("validator", short if start else None, start),
    ):
        if text is None:
            continue
        found = expression_mistakes(text[skipped:], targets, template=key == "message")
        for each in found:
            offset = None if each.offset is None else each.offset + skipped
            hint = each.suggestion or ""
            told = f"; {hint[:1].lower()}{hint[1:]}" if hint else "."
            yield RuleMistake(key, each.message.rstrip(".") + told, offset)


def _idle_options(settings: RuleSettings, rules: Sequence[Rule]) -> Iterator[RuleMistake]:
    heeded = frozenset[str]().union(*(rule.options for rule in rules))
    for key in ("format", "region"):
        if getattr(settings, key) is not None and key not in heeded:
            owners = sorted(kind.name for kind in kinds().values() if key in kind.options)
            listed = ", ".join(owners[:-1]) + " or " * (len(owners) > 1) + owners[-1]
            yield RuleMistake(key, f"{key} belongs to type: {listed}.")


def _field_mistake(field: str, targets: Collection[str] | None) -> str | None:
    if targets is not None and field in targets:
        return None
    wrong = field_mistake(field)
    if wrong is None and targets is not None and find_field(field, tuple(targets)).column is None:
        return f"The map has no target {field}. {_known(field, targets)}"
    return wrong


def _known(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
