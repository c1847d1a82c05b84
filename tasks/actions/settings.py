"""`Action`: one request to any address, filled in from a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import (
    Field,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_snake

from astrio.blocks.api import Limits, Timeouts, check_hosts, check_proxy
from astrio.blocks.auth.choice import AnyAuth
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.literals import mask_password, remember_password
from astrio.blocks.settings import Settings
from astrio.blocks.tls import Tls
from astrio.tasks.python.references import Reference
from astrio.tasks.rules.settings import RuleSettings
from astrio.tasks.settings import (
    BODIES,
    Method,
    RequestContent,
    ResponseSettings,
    RetrySettings,
)

# What a message to Discord may hold: its keys stand beside `url` on their own.
MESSAGE: Final = frozenset((
    "content", "embeds", "username", "avatar_url", "tts", "allowed_mentions", "components", "poll",
    "flags", "thread_name", "applied_tags", "attachments",
))  # fmt: skip
_URL = re.compile(r"(https?://)?[^/?#]*", re.IGNORECASE)
_MISSPELT = 0.75


class Action(RequestContent):
    """`{method, url, headers, body}`: one request; `{{expression}}` is filled in from the record.

    `{url, content, embeds}`, a message to Discord, is a POST of what stands beside `url`.
    """

    url: str = Field(
        min_length=1,
        description="https://host/path; in the path each {{expression}} is one segment.",
    )
    method: Method = "POST"
    body: Any = Field(
        default=None,
        description="JSON; a form where Content-Type says so; a text is sent as it is.",
    )
    auth: AnyAuth = Field(default_factory=NoAuth, description="Who we are to the API.")
    timeout: Timeouts | float = Field(
        default_factory=Timeouts, description="Seconds that each part of the request may take."
    )
    limits: Limits = Field(default_factory=Limits)
    tls: Tls = Field(default_factory=Tls, description="Authorities to trust; a client certificate.")
    proxy: str = Field(default="", description="http://host:port that the request goes through.")
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Other hosts that a redirect may lead to, with credentials."
    )
    response: ResponseSettings = Field(
        default_factory=ResponseSettings, description="What besides the status tells success."
    )

    @model_validator(mode="before")
    @classmethod
    def _message(cls, given: Any) -> Any:
        """Take `{url, content, embeds}` for a body that is posted."""
        if not isinstance(given, Mapping):
            return given
        keys = {key: to_snake(str(key)) for key in given}
        own = {"method", *BODIES} & set(keys.values())
        if own or not {"content", "embeds"} & set(keys.values()):
            return given
        body = {key: given[key] for key, plain in keys.items() if _of_message(plain)}
        return {key: value for key, value in given.items() if key not in body} | {"body": body}

    @field_validator("url")
    @classmethod
    def _fixed_host(cls, url: str) -> str:
        check_url(url)
        return url

    @field_validator("proxy")
    @classmethod
    def _proxy_url(cls, text: str) -> str:
        if text and "${" not in text:
            check_proxy(text)
        return text

    @field_validator("allow_hosts")
    @classmethod
    def _only_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return check_hosts(hosts)

    @field_serializer("url", "proxy")
    def _mask_passwords(self, url: str, info: SerializationInfo) -> str:
        return mask_password(url, info)

    def model_post_init(self, context: Any, /) -> None:
        """Let no message show a literal secret."""
        super().model_post_init(context)
        remember_password(self.url)
        remember_password(self.proxy)


class ActionPush(Settings):
    """`push` of a file that holds an action."""

    to: Action


class ActionFile(Settings):
    """An action with what happens to a record before it is sent."""

    name: str = Field(default="action", pattern=r"^[a-z0-9_-]{1,64}$")
    description: str = ""
    tags: tuple[str, ...] = ()
    vars: dict[str, Any] = Field(default_factory=dict, description="Values for {{name}}.")
    map: dict[str, Any] | None = Field(
        default=None, description="target: expression over the record."
    )
    transform: Reference | None = Field(
        default=None,
        description="Instead of `map`: module:function of a record, which returns the row.",
    )
    rules: tuple[RuleSettings, ...] | Reference = Field(
        default=(),
        alias="validate",
        description="A record that breaks one of them is not sent.",
    )
    push: ActionPush
    retry: RetrySettings = Field(default_factory=RetrySettings)
    errors: dict[str, str] = Field(default_factory=dict, description="Own texts by HTTP status.")

    @model_validator(mode="after")
    def _instead_of_a_map(self) -> ActionFile:
        if self.transform is not None and self.map is not None:
            raise ValueError("`transform` takes the place of `map`: keep one of the two")
        return self

    @property
    def action(self) -> Action:
        """The request."""
        return self.push.to


FILE_KEYS: Final = frozenset(field.alias or name for name, field in ActionFile.model_fields.items())


def split_url(url: str) -> tuple[str, str]:
    """Return scheme and host, and what follows them. A reference at the start counts as host."""
    match = _URL.match(url)
    end = match.end() if match else 0
    return url[:end], url[end:]


def check_url(url: str) -> None:
    """Refuse an address whose host a record could change, or that is none.

    Raises:
        ValueError: the message says what is wrong, without repeating the URL.
    """
    origin, _ = split_url(url)
    if "{{" in origin:
        raise ValueError(
            "a placeholder cannot stand in the URL's host, or in front of it: a record would "
            "decide who gets the credentials; write the host, or ${env:NAME}"
        )
    if "${" in origin:
        return
    if "://" not in origin or origin.endswith("://"):
        raise ValueError("a URL begins with https:// (or http://) and a host")
    if "@" in origin:
        raise ValueError("the URL holds no user and password; use auth: {type: basic}")


def _of_message(key: str) -> bool:
    """Whether a key belongs to a message: it is none of the action's, nor nearly one of them."""
    if key in MESSAGE:
        return True
    return not get_close_matches(key, Action.model_fields, n=1, cutoff=_MISSPELT)
