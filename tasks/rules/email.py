"""type email: a deliverable-looking e-mail address (RFC 5321 and 6531), by email-validator.

No DNS is asked. Domains reserved by RFC 2606 and 6761 (`.test`, `.invalid`, `.local`,
`localhost`) are refused, since no mail reaches them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TYPE, Rule
from astrio.tasks.rules.settings import RuleSettings

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]+)")
_LONGEST = 254
_LONGEST_LOCAL = 64
_REMEMBERED = 50_000


class Email(Rule):
    """`type: email`, or `validator: email`."""

    name = "email"
    key = "type"
    order = TYPE

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Start with nothing remembered."""
        super().__init__(argument, settings)
        self._valid = lru_cache(_REMEMBERED)(_valid)

    @classmethod
    def asked(cls, settings: RuleSettings) -> Any:
        """Ask by `type: email`."""
        return cls.name if settings.type == cls.name else None

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
