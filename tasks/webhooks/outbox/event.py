"""What is emitted: an event's name, its payload, and its id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

from astrio.blocks.errors import ConfigurationError

PURPOSE: Final = "outbox"
LARGEST: Final = 256 * 1024
LONGEST_NAME: Final = 128
LONGEST_KEY: Final = 256
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")

_PATTERN = re.compile(r"\*|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?")


@dataclass(frozen=True, slots=True)
class Emitted:
    """What has become of an emitted event.

    Attributes:
        id: of the event.
        new: False: an event with this idempotency key was emitted before, and nothing was added.
    """

    id: str
    new: bool


def check_name(name: str) -> str:
    """Return the name of an event.

    Raises:
        ConfigurationError: it is none.
    """
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name[:LONGEST_NAME]!r} is no name of an event.",
            advice=f"Write words of a-z, 0-9, _ and - with dots between, {LONGEST_NAME} characters "
            "at most: user.created.",
        )
    return name


def check_pattern(text: str) -> str:
    """Return the pattern of events' names.

    Raises:
        ValueError: it is none.
    """
    if not _PATTERN.fullmatch(text):
        raise ValueError("write a name such as user.created, order.* for all of them, or *")
    return text


def is_pattern(text: str) -> bool:
    """Whether it may fit several names."""
    return text.endswith("*")


def matches(pattern: str, event: str) -> bool:
    """Whether a pattern fits the name of an event."""
    if is_pattern(pattern):
        return event.startswith(pattern[:-1])
    return pattern == event


def encoded(payload: Any) -> bytes:
    """Return the payload as compact JSON.

    Raises:
        ConfigurationError: it is no JSON object or list, or larger than 256 KiB.
    """
    if not isinstance(payload, Mapping | list | tuple):
        raise ConfigurationError("The payload of an event is a JSON object or list.")
    try:
        body = msgspec.json.encode(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The payload cannot be written as JSON: {error}.") from None
    if len(body) > LARGEST:
        raise ConfigurationError(
            f"The payload has {len(body)} bytes; an event may have {LARGEST}.",
            advice="Send an id, and let the receiver ask for the rest.",
        )
    return body


def new_id() -> str:
    """Return the id of a new event."""
    return f"evt_{uuid.uuid4().hex}"


def delivery_id(event_id: str, trigger: str, target: str) -> str:
    """Return the id of an event's delivery to a target: the same however often it is routed."""
    return f"msg_{sha256(f'{event_id} {trigger} {target}'.encode()).hexdigest()[:32]}"
