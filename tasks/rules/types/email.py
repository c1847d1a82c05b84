"""type email: a deliverable-looking e-mail address (RFC 5321 and 6531), by email-validator.

No DNS is asked. Domains reserved by RFC 2606 and 6761 (`.test`, `.invalid`, `.local`,
`localhost`) are refused, since no mail reaches them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule
from astrio.tasks.rules.settings import RuleSettings

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]++(?:-[A-Za-z0-9]++)*+"
_SPECIAL = "arpa|invalid|local|localhost|onion|test"
# What email-validator accepts for certain, so that it need not be asked. Up to 64 characters, no
# part can be too long for it. The local part is its dot-atom. The domain has a dot, no `--` (it
# asks IDNA about these) and a top-level domain of small letters that is not reserved.
_ORDINARY = re.compile(
    rf"{_ATOM}+(?:\.{_ATOM}+)*+@(?:{_LABEL}\.)+(?!(?:{_SPECIAL})\Z)[a-z]{{2,}}+"
).fullmatch
_ORDINARY_LENGTH = 64
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]+)")
_LONGEST = 254
_LONGEST_LOCAL = 64
_REMEMBERED = 50_000


class Email(TypeRule):
    """`type: email`, or `validator: email`."""

    name = "email"

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Start with nothing remembered."""
        super().__init__(argument, settings)
        self._valid = lru_cache(_REMEMBERED)(_valid)

    def suspects(self, values: Sequence[Any]) -> Iterable[int]:
        """Pass what is written as nearly all addresses are."""
        return [
            place
            for place, value in enumerate(values)
            if value.__class__ is not str or len(value) > _ORDINARY_LENGTH or not _ORDINARY(value)
        ]

    def reason(self, value: Any) -> str | None:
        """Refuse what is no address."""
        if not isinstance(value, str):
            return f"is {kind(value)}; an e-mail address is text"
        return None if self._accepts(value) else "is not a valid e-mail address"

    def _accepts(self, address: str) -> bool:
        """Judge the domain alone where the rest is plain: domains repeat, addresses do not."""
        if "@" not in address or len(address) > _LONGEST:
            return False
        plain = _PLAIN.fullmatch(address)
        if plain and len(plain[1]) <= _LONGEST_LOCAL:
            return self._valid(f"a@{plain[2]}")
        return self._valid(address)


def _valid(address: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return False
    return True
