"""Mailchimp Transactional, once Mandrill (mandrill.zendesk.com, article 360039232513)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from astrio.blocks.webhooks.forms import parameters
from astrio.blocks.webhooks.macs import mac, macs, text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal, required
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Reply, Scheme, Verdict

# What Mailchimp signs with while a webhook is being added, before there is a key; no events.
_TRIAL_KEY, _TRIAL = b"test-webhook", [("mandrill_events", "[]")]


class MailchimpTransactional(Scheme):
    """`scheme: mailchimp-transactional`, with `public_url` exactly as it was entered.

    `X-Mandrill-Signature`, base64, over the URL and the form's fields. There is no timestamp, so
    only deduplication holds replays back. The empty request that checks the URL while the webhook
    is being added is answered.
    """

    key_form: ClassVar[str] = "the webhook's key"

    type: Literal["mailchimp-transactional"] = "mailchimp-transactional"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the header, the public URL and the form."""
        given = required(received.headers, b"x-mandrill-signature")
        fields = parameters(received.body)
        content = _signed_content(received.url, fields)
        if any_equal(macs(text_keys(secrets), content, "sha1", "base64"), [given]):
            return Verdict(True)
        trial = any_equal(macs([_TRIAL_KEY], content, "sha1", "base64"), [given])
        if trial and fields == _TRIAL:
            return Verdict(True, reply=Reply(200))
        raise Refusal("signature")

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with the newest secret; the body is a form."""
        content = _signed_content(outgoing.url, parameters(outgoing.body))
        signature = mac(next(iter(secrets), ""), content, "sha1", "base64")
        return [("X-Mandrill-Signature", signature)]


def _signed_content(url: str, fields: Sequence[tuple[str, str]]) -> bytes:
    return (url + "".join(name + value for name, value in sorted(fields))).encode()
