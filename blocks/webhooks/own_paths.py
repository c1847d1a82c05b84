"""Paths that the gateway answers itself: no webhook source may have one."""

from __future__ import annotations

from typing import Final

PAGES: Final = frozenset({"/metrics", "/health/live", "/health/ready", "/health"})
"""What is read with GET."""
EVENTS: Final = "/events"
"""Where applications emit events."""
OWN: Final = PAGES | {EVENTS}
"""All of them."""
