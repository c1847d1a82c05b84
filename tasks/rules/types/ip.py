"""type ip: an IPv4 or IPv6 address as text, without a port, a network's length or a zone."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule

_LONGEST = 45
_INVALID = "is no IP address"


class Ip(TypeRule):
    """`type: ip`, or `validator: ip`."""

    name = "ip"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no address."""
        if not isinstance(value, str):
            return f"is {kind(value)}; an IP address is text"
        if len(value) > _LONGEST or "%" in value:
            return _INVALID
        try:
            ip_address(value)
        except ValueError:
            return _INVALID
        return None
