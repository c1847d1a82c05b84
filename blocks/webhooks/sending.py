"""A request signed as a vendor would sign it: for samples, and for deliveries of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.webhooks.forms import FORM
from astrio.blocks.webhooks.schemes.base import Outgoing, Scheme
from astrio.blocks.webhooks.schemes.mailchimp_transactional import MailchimpTransactional
from astrio.blocks.webhooks.source import WebhookSource


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it is sent.

    Attributes:
        method: such as POST.
        url: with what the scheme puts into it.
        headers: in order; the content type and the signature.
        body: the raw bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def signed(scheme: Scheme | None, outgoing: Outgoing, secrets: Sequence[str]) -> Signed:
    """Sign a request.

    Without a scheme, the id and the time of the delivery are told as Standard Webhooks does, and
    nothing proves them.

    Raises:
        NotImplementedError: only the vendor can sign.
        ValueError: a secret or key cannot be used, or the request cannot be signed.
    """
    content_type = ("Content-Type", outgoing.content_type)
    if scheme is None:
        told = [("webhook-id", outgoing.id), ("webhook-timestamp", str(outgoing.timestamp))]
        return Signed(outgoing.method, outgoing.url, (content_type, *told), outgoing.body)
    ready = scheme.prepared(outgoing, secrets)
    headers = (content_type, *scheme.sign(ready, secrets))
    return Signed(ready.method, ready.url, headers, ready.body)


def sample(  # noqa: PLR0913 (what is sent is given by name)
    source: WebhookSource,
    payload: bytes,
    *,
    url: str,
    delivery_id: str,
    timestamp: int,
    secrets: Sequence[str] | None = None,
) -> Signed:
    """Return a sample event as the vendor of a source would send it.

    What the vendor signs is the URL that it knows, the source's `public_url`, wherever the sample
    is sent to.

    Args:
        source: the source that is to accept it.
        payload: the body; for Mailchimp Transactional the list of events that its form holds.
        url: where it is sent.
        delivery_id: of the delivery.
        timestamp: whole epoch seconds.
        secrets: what signs, such as a private key; those of the source if left out.

    Raises:
        ConfigurationError: nobody but the vendor can sign for this source, or a secret is missing.
    """
    kind, body = _body(source.scheme, source.content_type, payload)
    keys = source.resolved_secrets() if secrets is None else secrets
    known = _known(source.public_url, url)
    outgoing = Outgoing(delivery_id, timestamp, known, body, source.method, kind)
    try:
        found = signed(source.scheme, outgoing, keys)
    except (NotImplementedError, ValueError) as error:
        raise ConfigurationError(
            f"A sample for the scheme `{source.scheme.kind()}` cannot be signed here: {error}.",
            advice="Let the vendor send a test event instead, or give a private key of your own.",
        ) from None
    return replace(found, url=_there(url, known, found.url))


def _known(public: str, url: str) -> str:
    """Return the URL as the vendor knows it, with the query that the request will have."""
    if not public:
        return url
    parts = urlsplit(public)
    return urlunsplit(parts._replace(query=parts.query or urlsplit(url).query))


def _there(url: str, known: str, signed_url: str) -> str:
    """Return where the request is sent, with what the scheme has put into the known URL."""
    here, before, after = urlsplit(url), urlsplit(known), urlsplit(signed_url)
    path = here.path + after.path.removeprefix(before.path)
    return urlunsplit(here._replace(path=path, query=after.query))


def _body(scheme: Scheme, content_type: str, payload: bytes) -> tuple[str, bytes]:
    if isinstance(scheme, MailchimpTransactional):
        return FORM, urlencode({"mandrill_events": payload.decode("utf-8", "replace")}).encode()
    if content_type:
        return content_type, payload
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except msgspec.MsgspecError:
        return FORM if b"=" in payload else "text/plain", payload
    return "application/json", payload
