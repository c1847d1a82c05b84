"""`push.to: {webhook: …}`, of integrations and of triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from astrio.blocks.store.either import or_saved
from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.destinations.other import OtherTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings

_EXAMPLE = '{url: "https://…", secret: "${env:HOOK_SECRET}"}'


def _written_out(value: Any) -> Any:
    """Let a URL alone be a target."""
    if isinstance(value, str) and ("://" in value or value.startswith("${")):
        return {"url": value}
    return value


if TYPE_CHECKING:
    TargetOrName = WebhookTarget | str
else:
    TargetOrName = Annotated[
        or_saved(WebhookTarget, _EXAMPLE),
        BeforeValidator(_written_out, json_schema_input_type=WebhookTarget | str),
    ]


class WebhookDestination(OtherTarget):
    """`{webhook: URL}`, `{webhook: NAME}` of a saved target, or with a target's settings.

    Settings may stand beside the URL: `{webhook: URL, secret: …}`.
    """

    told_by: ClassVar = frozenset({"webhook"})
    modes: ClassVar = ("upsert",)
    any_mode: ClassVar = True  # an event is sent once, whatever the mode

    webhook: TargetOrName = Field(description="A URL, a saved target's name, or its settings.")

    @model_validator(mode="before")
    @classmethod
    def _settings_beside_the_url(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not isinstance(given.get("webhook"), str):
            return given
        more = {key: value for key, value in given.items() if key != "webhook"}
        return {"webhook": {"url": given["webhook"], **more}} if more else given

    def named(self, owner: str) -> tuple[str, WebhookTarget | str]:
        """Return the target's id, and its settings or the name they are saved under.

        Args:
            owner: names a target that is written out.
        """
        if isinstance(self.webhook, str):
            return self.webhook, self.webhook
        return owner, self.webhook

    @property
    def reference(self) -> str:
        """The saved name, or the URL without its query."""
        written = self.webhook
        return written if isinstance(written, str) else written.url.partition("?")[0]

    @property
    def stream(self) -> str:
        """One name for all: an integration's events are its events, wherever they go."""
        return "events"

    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return what puts events into the outbox."""
        from astrio.tasks.destinations.webhook.destination import OutboxDestination

        return OutboxDestination(push, integration, keeping)
