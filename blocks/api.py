"""`RestApi`: a connection to a REST API."""

from __future__ import annotations

from pydantic import Field

from astrio.blocks.auth.choice import AnyAuth
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.settings import Settings


class Timeouts(Settings):
    """Seconds for each part of a request."""

    connect: float = Field(10, gt=0)
    read: float = Field(60, gt=0)
    write: float = Field(60, gt=0)
    pool: float = Field(60, gt=0)


class Limits(Settings):
    """What a connection may use."""

    concurrency: int = Field(8, ge=1, le=256, description="Connections open at once.")
    max_response_bytes: int = Field(
        64 * 1024 * 1024, ge=1024, description="Largest decoded answer, bytes."
    )


class RestApi(Settings):
    """Base URL, credentials and defaults of one REST API."""

    base_url: str = Field(description="https://host/path that every request path is joined to.")
    auth: AnyAuth = Field(default_factory=NoAuth)
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with each request.")
    timeout: Timeouts | float = Field(default_factory=Timeouts)
    limits: Limits = Field(default_factory=Limits)
    allow_hosts: tuple[str, ...] = Field(
        (), description="Other hosts that a next link may lead to, with credentials."
    )
