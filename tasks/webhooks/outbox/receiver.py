"""A target, made ready to be sent to: references filled in, the signature and headers prepared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.rates import per_second
from astrio.blocks.secrets import resolve
from astrio.blocks.webhooks.schemes.base import Outgoing, Scheme
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.target import WebhookTarget, check_target_url
from astrio.tasks.http.addresses import Endpoint, endpoint
from astrio.tasks.http.encoding import header_values
from astrio.tasks.webhooks.outbox.schedule import Schedule

AGENT: Final = "Astrio-Webhooks/1"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where the deliveries of a target go, and how.

    Attributes:
        id: of the target.
        url: the whole URL; it may be a secret itself.
        trusted: endpoints of private networks that may be reached.
        secrets: every live one, newest first.
        headers: those of each delivery but the signature.
        timeout: seconds that an attempt may take in all.
        concurrency: deliveries under way at once.
        rate: most deliveries a second; None: no limit.
    """

    id: str
    url: URL
    trusted: frozenset[Endpoint]
    scheme: Scheme
    secrets: Sequence[str]
    headers: Headers
    schedule: Schedule
    method: str
    content_type: str
    timeout: float
    concurrency: int
    rate: float | None

    @property
    def shown(self) -> str:
        """The URL without what may be secret in it."""
        return f"{self.url.scheme}://{self.url.authority}"

    def signed(self, identity: str, timestamp: int, body: bytes) -> Headers:
        """Return all headers of one attempt.

        Args:
            identity: of the delivery, the same over all attempts.
            timestamp: of this attempt, epoch seconds.
            body: the raw bytes.
        """
        outgoing = Outgoing(
            id=identity,
            timestamp=timestamp,
            url=str(self.url),
            body=body,
            method=self.method,
            content_type=self.content_type,
        )
        return [*self.headers, *self.scheme.sign(outgoing, self.secrets)]


def prepared(name: str, target: WebhookTarget, own_secrets: Sequence[str]) -> Receiver:
    """Return the target, ready to be sent to.

    Args:
        name: the target's id.
        target: its settings.
        own_secrets: what the ledger keeps for a target that has no secret and no scheme.

    Raises:
        ConfigurationError: a variable is not set, or a value cannot be sent.
    """
    url = resolve(target.url)
    try:
        check_target_url(url)
        parsed = URL(url, encoded=True)
        port = parsed.port or 443
    except ValueError as error:
        raise ConfigurationError(f"The URL of the target {name} cannot be used: {error}.") from None
    scheme = target.signing
    secrets = target.resolved_secrets() if scheme else tuple(own_secrets)
    return Receiver(
        id=name,
        url=parsed,
        trusted=_trusted(endpoint(parsed.host or "", port), target.allow_private_hosts),
        scheme=scheme or StandardWebhooks(),
        secrets=secrets,
        headers=_headers(target),
        schedule=Schedule.of(target.retry),
        method=target.method,
        content_type=target.content_type,
        timeout=target.timeout,
        concurrency=target.concurrency,
        rate=per_second(target.rate) if target.rate else None,
    )


def _headers(target: WebhookTarget) -> Headers:
    usual = {"User-Agent": AGENT, "Content-Type": target.content_type, "Accept": "*/*"}
    own = header_values(target.headers)
    taken = {name.lower() for name in own}
    return [
        *((name, value) for name, value in usual.items() if name.lower() not in taken),
        *own.items(),
    ]


def _trusted(own: Endpoint, allowed: Collection[str]) -> frozenset[Endpoint]:
    """Return the target's own endpoint if it may be private; nothing else is ever connected to."""
    host, port = own
    bracketed = f"[{host}]" if ":" in host else host
    named = {each.lower().rstrip(".") for each in allowed}
    return frozenset([own] if named & {bracketed, f"{bracketed}:{port}"} else [])
