"""What a rule is: one kind of check, found in its package without a registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, ClassVar

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import subclasses_in
from astrio.tasks import rules as package
from astrio.tasks.rules.settings import RuleSettings

FIRST, TYPE, LAST = 0, 1, 2


class RuleError(ConfigurationError):
    """An entry asks for what a rule cannot do; `key` is the entry's key to mend."""

    def __init__(self, message: str, key: str) -> None:
        """Take what is wrong and the key concerned."""
        super().__init__(message)
        self.key = key


class Rule(ABC):
    """One rule of one entry.

    To add one, write a module in this package with a subclass, and its test; if it has a key of
    its own, add that to `RuleSettings`.

    Attributes:
        name: as rejects and `validator:` call it.
        key: the entry's key that asks for it.
        order: FIRST, TYPE or LAST; what comes later sees values as earlier rules rewrote them.
        sees_null: whether it judges null and missing values too.
        rewrites: whether accepted values are replaced by `rewritten`.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    order: ClassVar[int] = LAST
    sees_null: ClassVar[bool] = False
    rewrites: bool = False

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

    @abstractmethod
    def reason(self, value: Any) -> str | None:
        """Return why the value breaks the rule, without the value itself; None if it does not."""

    def rewritten(self, value: Any) -> Any:
        """Return what takes the place of an accepted value."""
        return value


@cache
def kinds() -> dict[str, type[Rule]]:
    """Return every kind of rule by its name."""
    return {kind.name: kind for kind in subclasses_in(package, Rule)}  # type: ignore[type-abstract]  # all found are concrete
