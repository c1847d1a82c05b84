"""`push.to: {method, url, headers, body}`: an action, sent once for each record."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve
from astrio.tasks.actions.rendering import Fill, connection_of
from astrio.tasks.actions.settings import MESSAGE, Action
from astrio.tasks.destinations.api.settings import Delivery, DeliverySettings, Sending
from astrio.tasks.destinations.api.target import RequestTarget

# `file` alone is a destination of its own.
_TELLING = frozenset((
    "method", "params", "headers", "body", "form", "text", "xml", "multipart", "base64", "graphql",
    "content", "embeds",
))  # fmt: skip


def _told_by_more_than_its_url(schema: dict[str, Any]) -> None:
    keys = sorted({spelt for key in _TELLING for spelt in (key, to_camel(key))})
    schema["anyOf"] = [{"required": [key]} for key in keys]
    of_message = {key: {"description": "Of a message to Discord."} for key in sorted(MESSAGE)}
    schema["properties"] = of_message | schema["properties"]


class ActionTarget(Action, RequestTarget):
    """`{method, url, headers, body}`, or Discord's `{url, content, embeds}`."""

    model_config = ConfigDict(json_schema_extra=_told_by_more_than_its_url)

    told_by: ClassVar = _TELLING

    @classmethod
    def tells(cls, keys: frozenset[str]) -> bool:
        """Whether it is a URL with something to send: a URL alone is a database's."""
        return "url" in keys and bool(_TELLING & keys)

    @property
    def reference(self) -> str:
        """The fixed part of the URL, without what looks like a secret."""
        return redact(self.url.partition("?")[0].partition("{{")[0])

    def delivery(self, fill: Fill = resolve) -> Delivery:
        """Return what is sent; the URL may be a secret as a whole."""
        api, path = connection_of(self, fill)
        return Delivery(api, Sending(path, self), self.response, DeliverySettings())
