"""unique: no two records of a run have the same value.

The same record again is no second one: it has the same push key, or, where the field is part of
the key or there is none, the same values throughout. Values are compared as expressions compare
them: 1 is 1.0, but neither true nor "1". A run that resumes after a crash, and a replay, know
only what they themselves have read.
"""

from __future__ import annotations

import secrets
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any, ClassVar

from astrio.tasks.rules.base import LAST, Rule
from astrio.tasks.rules.seen import Seen
from astrio.tasks.rules.settings import RuleSettings

_GREATEST_EXPONENT = 400
_OWNER_BYTES = 8


class Unique(Rule):
    """`unique: true`, or `validator: unique`."""

    name = "unique"
    key = "unique"
    order = LAST
    remembers: ClassVar[bool] = True

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Start with nothing seen."""
        super().__init__(argument, settings)
        self._seen = Seen()
        # Salted, since the digests of e-mail addresses could be guessed.
        self._begun = blake2b(digest_size=16, key=secrets.token_bytes(16))

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Ask by `unique: true`; `false` asks for nothing."""
        return settings.unique or None

    def reason(self, value: Any) -> str | None:
        """Return what is told of a value that another record has."""
        del value
        return "is the value of another record, too"

    def taken(self, value: Any, owner: Any, *, keep: bool = True) -> bool:
        """Whether another owner has the value; if none has, it is the owner's from now on."""
        digest, mine = self._digest(value), self._digest(owner)[:_OWNER_BYTES]
        known = self._seen.owner(digest)
        if known is None and keep:
            self._seen.add(digest, mine)
        return known not in (None, mine)

    def forget(self) -> None:
        """Begin anew: the source is read again from its start."""
        self._seen.forget()

    def _digest(self, value: Any) -> bytes:
        plain = value if value.__class__ is str else _comparable(value)
        digest = self._begun.copy()
        digest.update(repr(plain).encode("utf-8", "surrogatepass"))
        return digest.digest()


def _comparable(value: Any) -> Any:
    """Return what has the same `repr` for equal values, another one for others."""
    if isinstance(value, dict):
        pairs = [(key, _comparable(below)) for key, below in value.items()]
        return ("object", sorted(pairs, key=lambda pair: str(pair[0])))
    if isinstance(value, list | tuple):
        return ("list", [_comparable(below) for below in value])
    if isinstance(value, float | Decimal) or value.__class__ is int:
        return _number(value)
    return value.isoformat() if isinstance(value, date) else value


def _number(value: float | Decimal) -> Any:
    if isinstance(value, int):
        return hex(value), 0
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    sign, digits, exponent = exact.as_tuple()
    if not isinstance(exponent, int):
        return str(exact)
    if exponent <= _GREATEST_EXPONENT and exact == exact.to_integral_value():
        return hex(int(exact)), 0
    shown = "".join(map(str, digits))
    return sign, shown.rstrip("0"), exponent + len(shown) - len(shown.rstrip("0"))
