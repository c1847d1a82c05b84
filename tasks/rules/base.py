"""What a rule is: one kind of check, found in its package without a registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, ClassVar

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import subclasses_in
from astrio.tasks import rules as package
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.rules import types
from astrio.tasks.rules.settings import RuleSettings

FIRST, TYPE, LAST = 0, 1, 2


class RuleError(ConfigurationError):
    """An entry asks for what a rule cannot do.

    Attributes:
        key: the entry's key to mend.
        offset: 0-based character of that key's text; None: the whole value is wrong.
    """

    def __init__(self, message: str, key: str, offset: int | None = None) -> None:
        """Take what is wrong and the key concerned."""
        super().__init__(message)
        self.key = key
        self.offset = offset


class Rule(ABC):
    """One rule of one entry.

    To add one, write a module in this package with a subclass, and its test; if it has a key of
    its own, add that to `RuleSettings`. A kind of value is a `TypeRule` in the package `types`.

    Attributes:
        name: as rejects and `validator:` call it.
        key: the entry's key that asks for it.
        order: FIRST, TYPE or LAST; what comes later sees values as earlier rules rewrote them.
        options: further keys of the entry that it heeds.
        sees_null: whether it judges null and missing values too.
        sees_record: whether it judges the whole mapped record, of which it is given what its
            `names` name (None: all); it then needs no field.
        remembers: whether it compares a value with those of earlier records.
        rewrites: whether accepted values are replaced by `rewritten`.
        expression: its expression, for whoever reads of a rejected record.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    order: ClassVar[int] = LAST
    options: ClassVar[frozenset[str]] = frozenset()
    sees_null: ClassVar[bool] = False
    sees_record: ClassVar[bool] = False
    remembers: ClassVar[bool] = False
    names: frozenset[str] | None = None
    rewrites: bool = False
    expression: str | None = None

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the argument and the whole entry; raise RuleError if they make no sense."""
        self.argument = argument
        self.settings = settings

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Return the argument that an entry's own keys give, None if they do not ask for this."""
        return getattr(settings, cls.key)

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Return the argument that follows the colon of `validator: "name:argument"`.

        Raises:
            RuleError: the text is no argument of this rule.
        """
        if text:
            raise RuleError(f"{cls.name} takes no argument.", "validator")
        return True

    def begin(self, context: MappingContext) -> None:
        """Learn the clock and the zone of the run; called once before the first record."""
        del context

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Return the places of values that may break the rule: a cheap look at many at once."""
        return range(len(values))

    @abstractmethod
    def reason(self, value: Any) -> str | None:
        """Return why the value breaks the rule, without the value itself; None if it does not."""

    def rewritten(self, value: Any) -> Any:
        """Return what takes the place of an accepted value."""
        return value


class TypeRule(Rule):
    """A kind of value: `type: NAME`, or `validator: NAME`."""

    key = "type"
    order = TYPE

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Ask by `type: NAME`."""
        return cls.name if settings.type == cls.name else None


@cache
def kinds() -> dict[str, type[Rule]]:
    """Return every kind of rule by its name."""
    found = [*subclasses_in(package, Rule), *subclasses_in(types, Rule)]  # type: ignore[type-abstract]  # all found are concrete
    return {kind.name: kind for kind in found}


def type_names() -> list[str]:
    """Return what may stand after `type:`."""
    return sorted(kind.name for kind in kinds().values() if kind.key == "type")
