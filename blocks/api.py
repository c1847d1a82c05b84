"""`RestApi`: a connection to a REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from astrio.blocks.auth.choice import AnyAuth
from astrio.blocks.auth.mutual_tls import MutualTlsAuth
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.literals import mask_named, mask_password, remember_named, remember_password
from astrio.blocks.rates import check_rate
from astrio.blocks.settings import Settings
from astrio.blocks.storable import Storable
from astrio.blocks.tls import Tls

_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")


class Timeouts(Settings):
    """Seconds for each part of a request."""

    connect: float = Field(default=10, gt=0, description="Longest wait for a connection.")
    read: float = Field(default=60, gt=0, description="Longest silence while the answer comes in.")
    write: float = Field(default=60, gt=0, description="Longest silence while sending.")
    pool: float = Field(default=60, gt=0, description="Longest wait for a free connection.")
    run: float | None = Field(
        default=None, gt=0, description="Longest time that all requests of a run may take together."
    )


class Limits(Settings):
    """What a connection may use."""

    concurrency: int = Field(default=8, ge=1, le=256, description="Connections open at once.")
    max_response_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Largest decoded answer, bytes."
    )
    max_download_bytes: int = Field(
        default=4 * 1024**3,
        ge=1024,
        description="The same for formats read piece by piece from a temporary file.",
    )
    rate: str = Field(
        default="",
        description="Most requests of the credential, in all processes together: 50/s, 100/min.",
    )
    prefect_limit: str = Field(
        default="",
        description="Name of a global concurrency limit of Prefect, with a decay, to use instead.",
    )

    @field_validator("rate")
    @classmethod
    def _readable(cls, text: str) -> str:
        return check_rate(text)


class RestApi(Storable):
    """Base URL, credentials and defaults of one REST API."""

    title: ClassVar[str] = "REST API"
    summary: ClassVar[str] = "A REST API: where it is, who we are to it, what it may use."
    example: ClassVar[str] = "```yaml\nsource:\n  api: NAME\n  request: {path: /orders}\n```"
    secret_fields: ClassVar[tuple[str, ...]] = ("headers", "password", "proxy")
    flat_defaults: ClassVar[Mapping[str, Any]] = {"timeout": 60.0}

    base_url: str = Field(description="https://host/path that every request path is joined to.")
    auth: AnyAuth = Field(
        default_factory=NoAuth,
        description="Who we are to the API: a saved authentication, or none.",
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with each request.")
    timeout: Timeouts | float = Field(
        default_factory=Timeouts, description="Seconds that each part of a request may take."
    )
    limits: Limits = Field(default_factory=Limits)
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Other hosts that a next link may lead to, with credentials."
    )
    allow_private_hosts: tuple[str, ...] = Field(
        default=(),
        description="The same for hosts of your own network, which links reach only if named here.",
    )
    tls: Tls = Field(default_factory=Tls, description="Authorities to trust; a client certificate.")
    proxy: str = Field(
        default="",
        description="http://user:${env:PASSWORD}@host:port that all requests go through.",
    )
    http2: bool = Field(
        default=False, description="Speak HTTP/2 where the API offers it (astrio[http2])."
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()

    @field_serializer("headers")
    def _mask_headers(self, headers: dict[str, str], info: SerializationInfo) -> dict[str, str]:
        return mask_named(headers, info)

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal secret among the headers, or the proxy's password."""
        remember_named(self.headers)
        remember_password(self.proxy)

    @field_serializer("proxy")
    def _mask_proxy(self, proxy: str, info: SerializationInfo) -> str:
        return mask_password(proxy, info)

    @field_validator("base_url")
    @classmethod
    def _complete_url(cls, text: str) -> str:
        # What {{var}} and ${env:NAME} stand for is checked when they are filled in.
        if "{{" not in text and "${" not in text:
            check_base_url(text)
        return text

    @field_validator("timeout")
    @classmethod
    def _positive(cls, value: Timeouts | float) -> Timeouts | float:
        if isinstance(value, float) and not 0 < value < float("inf"):
            raise ValueError("give the timeout as a number of seconds above 0")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy_url(cls, text: str) -> str:
        if text and "${" not in text:
            check_proxy(text)
        return text

    @model_validator(mode="after")
    def _one_certificate(self) -> Self:
        if self.tls.certificate and isinstance(self.auth, MutualTlsAuth):
            raise ValueError("give the client certificate once: in auth or in tls")
        return self

    @field_validator("allow_hosts", "allow_private_hosts")
    @classmethod
    def _only_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return check_hosts(hosts)


def check_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return hosts in lower case.

    Raises:
        ValueError: one is no `host` or `host:port`.
    """
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is no host: write api.example.com or host:8443")
    return tuple(host.lower() for host in hosts)


def check_base_url(text: str) -> None:
    """Refuse what is no base URL: `https://host[:port][/path]`, nothing else.

    Raises:
        ValueError: the message says what is wrong, without repeating the URL.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a base URL begins with https:// (or http://) and a host")
    if "@" in parts.netloc:
        raise ValueError("a base URL holds no user and password; use auth: {type: basic}")
    if not _HOST.fullmatch(parts.netloc) or re.search(r"\s", text) or parts.port == 0:
        raise ValueError("the base URL's host or port cannot be read")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("a base URL holds no ? and #; put parameters into request.params")


def check_proxy(text: str) -> None:
    """Refuse what is no proxy's URL: `http[s]://[user:password@]host[:port]`.

    Raises:
        ValueError: the message says what is wrong, without repeating the URL.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a proxy's URL is http://host:port (or https://); SOCKS is not supported")
    place = parts.netloc.rpartition("@")[2]
    if not _HOST.fullmatch(place) or re.search(r"\s", text) or parts.port == 0:
        raise ValueError("the proxy's host or port cannot be read")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("a proxy's URL holds nothing behind host and port")
