"""What is sent to an API for each record, and how it is known what became of it.

Free of SQLAlchemy, so that `check` stays quick.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import Field

from astrio.blocks.api import RestApi
from astrio.blocks.settings import Settings
from astrio.tasks.http.items import ItemsSettings
from astrio.tasks.settings import (
    BODIES,
    Method,
    RequestContent,
    RequestSettings,
    ResponseSettings,
    RetrySettings,
)

KEY_NAME: Final = "idempotency_key"
_KEY_PLACEHOLDER: Final = re.compile(r"\{\{[^}]*\bidempotency_key\b")
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class PushRequest(RequestSettings):
    """`push.to.request`: what is sent for a record, or for a batch."""

    method: Method = "POST"


class UpdateRequest(RequestSettings):
    """`push.to.update`: what is sent for a record that the API knows already."""

    method: Method = "PATCH"


class LookupSettings(RequestSettings):
    """`push.to.lookup`: asks the API whether it has a record whose outcome is unknown."""

    found: str = Field(
        min_length=1, description="Expression over the answer; true: the API has the record."
    )


class BatchSettings(Settings):
    """`push.to.batch`: how many records one request carries."""

    size: int = Field(ge=1, le=100_000, description="Most records of a request.")
    max_bytes: int | None = Field(
        default=None, ge=1, description="Most bytes of the records of a request, as JSON."
    )
    item: Any = Field(
        default=None,
        description="What each record becomes in the batch; without it, the record itself.",
    )
    lines: bool = Field(
        default=False,
        description="JSON Lines in the place of a list; a list in `item` becomes several lines.",
    )


class DeliverySettings(Settings):
    """How a record's outcome is told, and how many requests are on their way at once."""

    items: ItemsSettings | None = Field(
        default=None, description="Where an answer tells what became of each record."
    )
    returns: dict[str, str] = Field(
        default_factory=dict,
        description="name: path in the answer to what is remembered of a record: {id: $.id}.",
    )
    lookup: LookupSettings | None = Field(
        default=None, description="A request that tells whether the API has a record."
    )
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Requests on their way at once; records of one key keep their order. Left "
        "out: 4 with `push.key`, else 1.",
    )


@dataclass(frozen=True)
class Sending:
    """One kind of requests.

    Attributes:
        path: below the base URL.
        content: method, query, headers and body of each request.
        batch: how many records a request carries; None: one.
    """

    path: str
    content: RequestContent
    batch: BatchSettings | None = None

    @property
    def keyed(self) -> bool:
        """Whether each request carries an idempotency key."""
        content = self.content
        if content.idempotency_key:
            return True
        texts = [
            self.path,
            content.params,
            content.headers,
            dict(content.model_dump(include={*BODIES})),
        ]
        return _names_key(texts)

    @property
    def record_is_keyed(self) -> bool:
        """Whether each record carries an idempotency key, whatever request it is in."""
        return self.keyed if self.batch is None else _names_key(self.batch.item)

    @property
    def harmless(self) -> bool:
        """Whether records may be sent twice, in whatever requests."""
        return self.idempotent or self.record_is_keyed

    @property
    def idempotent(self) -> bool:
        """Whether a request may be sent twice, key or no key (RFC 9110, 9.2.2)."""
        content = self.content
        plain = content.method in _IDEMPOTENT and content.graphql is None
        return content.idempotent or plain

    @property
    def has_body(self) -> bool:
        """Whether the file says what the body is."""
        return any(getattr(self.content, kind) is not None for kind in BODIES)

    @property
    def told(self) -> str:
        """What decides what is sent of a record, but for its headers."""
        kept = {"method", "params", *BODIES}
        parts: list[Any] = [
            self.path,
            self.content.model_dump(mode="json", by_alias=True, include=kept),
        ]
        parts.append(None if self.batch is None else self.batch.item)
        return json.dumps(parts, sort_keys=True, default=str)


@dataclass(frozen=True)
class Delivery:
    """Everything a destination needs of its settings.

    Attributes:
        api: the connection; in its base URL and headers `{{var}}` may stand.
        create: the requests for records; for those that are new, where there is `update`.
        response: what besides the status tells success.
        outcomes: how outcomes are told, look-ups, and how many requests at once.
        update: the requests for records that were sent before.
    """

    api: RestApi
    create: Sending
    response: ResponseSettings
    outcomes: DeliverySettings
    update: Sending | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a file says elsewhere and its destination may need.

    Attributes:
        variables: `vars`.
        retry: how failed requests are repeated.
        errors: own texts by HTTP status.
        mapped: whether a mapping has made the records: a null is meant then.
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    retry: RetrySettings = field(default_factory=RetrySettings)
    errors: Mapping[str, str] = field(default_factory=dict)
    mapped: bool = True


def _names_key(value: Any) -> bool:
    return any(map(_KEY_PLACEHOLDER.search, _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)
