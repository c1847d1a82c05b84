"""`TriggerFile`: a file that sends events to webhooks, the model behind `on:`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from astrio.blocks.settings import Settings
from astrio.blocks.webhooks.target import DeliveryRetry, WebhookTarget
from astrio.tasks.destinations.targets.webhook import WebhookDestination
from astrio.tasks.webhooks.outbox.event import check_pattern


def _one_or_several(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return [value]
    if not value:
        raise ValueError("the list is empty")
    return value


Destinations = Annotated[
    tuple[WebhookDestination, ...],
    BeforeValidator(
        _one_or_several, json_schema_input_type=WebhookDestination | list[WebhookDestination]
    ),
]
Patterns = Annotated[
    tuple[str, ...], BeforeValidator(_one_or_several, json_schema_input_type=str | list[str])
]


class TriggerPush(Settings):
    """`push` of a trigger."""

    to: Destinations = Field(description="{webhook: …}, or a list of them.")


def _name_may_be_left_out(schema: dict[str, Any]) -> None:
    schema["required"].remove("name")


class TriggerFile(Settings):
    """Which events go to which webhooks, and what is sent of them."""

    model_config = ConfigDict(json_schema_extra=_name_may_be_left_out)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,64}$", description="The file's name if left out.")
    description: str = ""
    tags: tuple[str, ...] = ()
    on: Patterns = Field(description="Names of events, or patterns: user.created, order.*, *.")
    filter: str | None = Field(
        None, description="Expression over the event's payload; false: it is not sent."
    )
    payload: Any = Field(
        None, description="What is sent instead of the event's payload; may hold {{expression}}."
    )
    map: dict[str, Any] | None = Field(
        None, description="The same as a mapping; target: expression over the event's payload."
    )
    order_by: str | None = Field(
        None, description="Expression over the payload; events of one value arrive in order."
    )
    push: TriggerPush
    retry: DeliveryRetry | None = Field(
        None, description="When a delivery that failed is tried again; of targets written out here."
    )
    alerts: dict[str, Any] | None = None

    @field_validator("on")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(check_pattern, patterns))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.payload is not None and self.map is not None:
            raise ValueError("give `payload` or `map`, and not both")
        return self

    def targets(self) -> Iterator[tuple[str, WebhookTarget | str]]:
        """Yield each target's id, and its settings or the name they are saved under."""
        several = len(self.push.to) > 1
        for number, each in enumerate(self.push.to, 1):
            name, target = each.named(f"{self.name}-{number}" if several else self.name)
            yield name, target if isinstance(target, str) else self._with_retry(target)

    def _with_retry(self, target: WebhookTarget) -> WebhookTarget:
        if self.retry is None or "retry" in target.model_fields_set:
            return target
        return target.model_copy(update={"retry": self.retry})


def proposed_name(path: Path) -> str:
    """Return the name of a trigger whose file gives it none."""
    return re.sub(r"[^a-z0-9_]+", "-", path.stem.lower()).strip("-")[:64] or "trigger"
