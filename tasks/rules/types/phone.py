"""type phone: a valid phone number, by phonenumbers (Google's libphonenumber).

It begins with + and the country, or `region` says which country's numbers need none.
`format: international` rewrites it to E.164: `+4930123456`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import RuleError, TypeRule
from astrio.tasks.rules.settings import RuleSettings

_LONGEST = 64
_REMEMBERED = 50_000
_INVALID = "is not a valid phone number"


class Phone(TypeRule):
    """`type: phone`, or `validator: phone`; `validator: "phone:DE"` names the region."""

    name = "phone"
    options: ClassVar = frozenset({"format", "region"})

    def __init__(self, argument: Any, settings: RuleSettings) -> None:
        """Take the region and the format."""
        super().__init__(argument, settings)
        if settings.format not in (None, "international"):
            raise RuleError("The format of phone numbers is international, or none.", "format")
        self.rewrites = settings.format == "international"
        region = argument if argument != self.name else settings.region
        if region is not None and region not in _regions():
            key = "region" if region == settings.region else "validator"
            raise RuleError(f"{region!r} is no region; write a country code such as DE.", key)
        self._region = region
        self._parsed = lru_cache(_REMEMBERED)(self._parse)

    @classmethod
    def from_text(cls, text: str) -> Any:
        """Take the region, if there is one."""
        return text or cls.name

    def reason(self, value: Any) -> str | None:
        """Refuse what is no valid number, and what E.164 cannot hold."""
        if not isinstance(value, str):
            return f"is {kind(value)}; a phone number is text"
        if len(value) > _LONGEST:
            return _INVALID
        reason, _ = self._parsed(value)
        return reason

    def rewritten(self, value: Any) -> Any:
        """Return the number in E.164."""
        return self._parsed(value)[1]

    def _parse(self, text: str) -> tuple[str | None, str]:
        """Return why the number is refused, or None, and its E.164 form."""
        import phonenumbers

        try:
            number = phonenumbers.parse(text, self._region)
        except phonenumbers.NumberParseException as error:
            foreign = error.error_type == error.INVALID_COUNTRY_CODE and self._region is None
            hint = ": without a region it must begin with + and the country" if foreign else ""
            return _INVALID + hint, text
        if not phonenumbers.is_valid_number(number):
            return _INVALID, text
        if self.rewrites and number.extension:
            return "has an extension, which the international format cannot hold", text
        return None, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _regions() -> set[str]:
    import phonenumbers

    return set(phonenumbers.SUPPORTED_REGIONS)
