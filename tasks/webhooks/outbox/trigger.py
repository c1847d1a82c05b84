"""Triggers: which events go to which targets, and what is sent of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

import msgspec
from pydantic import Field, field_validator, model_validator

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.blocks.settings import Settings
from astrio.tasks.batch import Page
from astrio.tasks.http.parameters import query_items
from astrio.tasks.mapping.compile import compile_expression, compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.template import render
from astrio.tasks.webhooks.outbox.event import LONGEST_KEY, check_pattern, matches

FORM = "application/x-www-form-urlencoded"


class Trigger(Settings):
    """Which events go to which targets.

    Attributes:
        name: of the trigger.
        on: names of events, or patterns: `order.*` is every name that begins with `order.`.
        filter: an expression over the payload; false: the event is none for these targets.
        payload: what is sent instead of the event's payload; its texts may hold placeholders.
        map: the same, as a mapping over the payload.
        order_by: an expression over the payload; events of one value arrive in order.
        targets: ids of the targets.
    """

    name: str
    on: tuple[str, ...] = Field(min_length=1)
    filter: str | None = None
    payload: Any = None
    map: dict[str, Any] | None = None
    order_by: str | None = None
    targets: tuple[str, ...] = Field(min_length=1)

    @field_validator("on")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_pattern, patterns))

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.payload is not None and self.map is not None:
            raise ValueError("give `payload` or `map`, and not both")
        return self

    def wants(self, event: str) -> bool:
        """Whether the name of an event is one of this trigger's."""
        return any(matches(pattern, event) for pattern in self.on)

    @property
    def looks_inside(self) -> bool:
        """Whether the payload has to be read to know what is to be sent."""
        inside = (self.filter, self.payload, self.map, self.order_by)
        return any(each is not None for each in inside)


class Prepared:
    """A trigger whose expressions are compiled; makes what is sent of an event."""

    def __init__(self, trigger: Trigger, now: datetime) -> None:
        """Take the trigger, and the moment that `now()` is in its filter.

        Raises:
            ConfigurationError: an expression is wrong.
        """
        self.trigger = trigger
        context = MappingContext(now)
        self._filter = trigger.filter and compile_expression(trigger.filter, context)
        self._order = trigger.order_by and compile_expression(trigger.order_by, context)

    def wanted(self, payload: Any) -> bool:
        """Whether the filter lets the event through.

        Raises:
            RecordRejectedError: the filter cannot be evaluated for it.
        """
        return not callable(self._filter) or bool(self._filter(payload))

    def order_key(self, payload: Any) -> str | None:
        """Return what the event is ordered by; raises as `wanted`."""
        value = self._order(payload) if callable(self._order) else None
        return None if value is None else str(value)[:LONGEST_KEY]

    def content(self, event: str, payload: Any, created_at: float) -> Any:
        """Return the JSON value that is sent; raises as `wanted`."""
        context = MappingContext(datetime.fromtimestamp(created_at, UTC))
        if self.trigger.map is not None:
            return _mapped(self.trigger.map, payload, context)
        if self.trigger.payload is None:
            return payload
        fields = payload if isinstance(payload, Mapping) else {"payload": payload}
        timestamp = context.now.isoformat(timespec="seconds")
        scope = {"event": event, "timestamp": timestamp, **fields}
        try:
            return render(self.trigger.payload, scope, context=context)
        except ConfigurationError as error:
            raise RecordRejectedError(error.message) from None


def _mapped(mapping: dict[str, Any], payload: Any, context: MappingContext) -> dict[str, Any]:
    """Return the mapped object; dots in its targets nest."""
    batch = compile_mapping(mapping, context).transform(Page(1, [payload]))
    for reject in batch.rejects:
        problem = reject.problems[0]
        raise RecordRejectedError(f"{problem.field or 'the payload'}: {problem.reason}")
    return nested(batch.columns, batch.rows[0])


def nested(targets: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Return a row as an object; dots in its targets nest."""
    found: dict[str, Any] = {}
    for target, value in zip(targets, row, strict=True):
        *above, last = target.split(".")
        place = found
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    return found


def body_of(content: Any, content_type: str) -> bytes:
    """Return the bytes that are sent: JSON, a form, or text.

    Raises:
        RecordRejectedError: the content is none that this type can carry.
    """
    if content_type == FORM:
        if not isinstance(content, Mapping):
            raise RecordRejectedError("a form is made of an object's fields")
        return urlencode(list(query_items(content))).encode()
    if content_type.startswith("text/") and isinstance(content, str):
        return content.encode()
    return msgspec.json.encode(content)
