"""Finding the mistakes in rules before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from astrio.tasks.rules.base import Rule, RuleError, kinds
from astrio.tasks.rules.field import field_mistake, find_field
from astrio.tasks.rules.settings import RuleSettings

Mistake = tuple[int, str | None, str]


def check_rules(rules: Sequence[RuleSettings], targets: Collection[str] | None) -> list[Mistake]:
    """Return (index of the entry, its key or None, what is wrong) for every mistake.

    Args:
        rules: the entries of `validate:`.
        targets: the mapping's targets; None: records pass through.
    """
    return [
        (place, key, message)
        for place, settings in enumerate(rules)
        for key, message in _mistakes(settings, targets)
    ]


def built_rules(settings: RuleSettings) -> list[Rule]:
    """Return the rules that an entry asks for, in the order they judge.

    Raises:
        RuleError: it asks for something that makes no sense.
    """
    built: list[Rule] = []
    for kind in kinds().values():
        argument = kind.asked(settings)
        if argument is not None:
            built.append(kind(argument, settings))
    if settings.validator is not None:
        built.append(_short_form(settings.validator, settings))
    return sorted(built, key=lambda rule: rule.order)


def _short_form(text: str, settings: RuleSettings) -> Rule:
    name, _, argument = text.partition(":")
    kind = kinds().get(name.strip())
    if kind is None:
        raise RuleError(f"There is no validator {name!r}. {_known(name, kinds())}", "validator")
    try:
        return kind(kind.from_text(argument), settings)
    except RuleError as error:
        key = "region" if error.key == "region" else "validator"
        raise RuleError(error.message, key) from None


def _mistakes(
    settings: RuleSettings, targets: Collection[str] | None
) -> Iterator[tuple[str | None, str]]:
    wrong = _field_mistake(settings.field, targets)
    if wrong:
        yield "field", wrong
    try:
        names = {rule.name for rule in built_rules(settings)}
    except RuleError as error:
        yield error.key, error.message
        return
    if not names:
        listed = "required, type, min, max, pattern, validator"
        yield None, f"The entry asks for no rule. Add one of: {listed}."
    for key in ("format", "region"):
        if getattr(settings, key) is not None and "phone" not in names:
            yield key, f"{key} belongs to type: phone."


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
