"""The vendors' own libraries sign and astrio verifies, and the other way round, with rotation."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import standardwebhooks
import stripe
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from astrio.blocks.webhooks.forms import FORM
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme
from astrio.blocks.webhooks.schemes.sendgrid import SendGrid
from astrio.blocks.webhooks.schemes.slack import Slack
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.schemes.stripe import Stripe
from astrio.blocks.webhooks.schemes.svix import Svix
from astrio.blocks.webhooks.schemes.twilio import Twilio

URL = "https://hooks.example.com/webhooks/shop?a=1"
NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_b3RoZXItc2VjcmV0LTEyMzQ1"

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
bodies = st.dictionaries(st.text(max_size=8), documents, max_size=4).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
forms = st.dictionaries(texts.filter(bool), texts, min_size=1, max_size=5)


def accepted(
    scheme: Scheme, headers: dict[str, str], body: str, secrets: Sequence[str], url: str = URL
) -> bool:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    received = Received("POST", url, pairs, body.encode())
    return scheme.verify(received, secrets, time.time()).accepted


def signed(scheme: Scheme, body: str, secrets: Sequence[str] = (NEW, OLD)) -> dict[str, str]:
    outgoing = Outgoing("msg_2f1c9a", int(time.time()), URL, body.encode())
    return dict(scheme.sign(outgoing, secrets))


StandardLibrary = tuple[Callable[[str], Any], Scheme, str]
STANDARD: list[StandardLibrary] = [
    (standardwebhooks.Webhook, StandardWebhooks(), "webhook"),
    (svix.webhooks.Webhook, Svix(), "svix"),
]


@pytest.mark.parametrize(
    ("library", "scheme", "prefix"), STANDARD, ids=["standardwebhooks", "svix"]
)
@settings(deadline=None)
@given(body=bodies)
def test_standard_webhooks(
    library: Callable[[str], Any], scheme: Scheme, prefix: str, body: str
) -> None:
    for secret in (NEW, OLD):
        library(secret).verify(body, signed(scheme, body))
        now = datetime.now(UTC)
        headers = {
            f"{prefix}-id": "msg_1",
            f"{prefix}-timestamp": str(int(now.timestamp())),
            f"{prefix}-signature": library(secret).sign("msg_1", now, body),
        }
        assert accepted(scheme, headers, body, (NEW, OLD))
        assert not accepted(scheme, headers, body + " ", (NEW, OLD))


@settings(deadline=None)
@given(body=bodies)
def test_stripe(body: str) -> None:
    for secret in (NEW, OLD):
        header = signed(Stripe(), body)["Stripe-Signature"]
        assert stripe.WebhookSignature.verify_header(body, header, secret, 300)
        theirs = stripe.WebhookSignature.generate_signature_header(body, secret)
        assert accepted(Stripe(), {"Stripe-Signature": theirs}, body, (NEW, OLD))
        assert not accepted(Stripe(), {"Stripe-Signature": theirs}, body + " ", (NEW, OLD))


@settings(deadline=None)
@given(body=bodies)
def test_slack(body: str) -> None:
    assert SignatureVerifier(NEW).is_valid_request(body, signed(Slack(), body))
    for secret in (NEW, OLD):
        timestamp = str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
        assert signature
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        assert accepted(Slack(), headers, body, (NEW, OLD))
        assert not accepted(Slack(), headers, body + " ", (NEW, OLD))


@settings(deadline=None)
@given(form=forms)
def test_twilio_forms(form: dict[str, str]) -> None:
    body = urlencode(form)
    outgoing = Outgoing("1", int(time.time()), URL, body.encode(), content_type=FORM)
    ours = dict(Twilio().sign(outgoing, (NEW, OLD)))["X-Twilio-Signature"]
    fields = dict(parse_qsl(body, keep_blank_values=True))
    assert RequestValidator(NEW).validate(URL, fields, ours)
    for secret in (NEW, OLD):
        theirs = RequestValidator(secret).compute_signature(URL, fields)
        headers = {"X-Twilio-Signature": theirs, "Content-Type": FORM}
        assert accepted(Twilio(), headers, body, (NEW, OLD))
        assert not accepted(Twilio(), headers, body + "&x=y", (NEW, OLD))


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_twilio_with_either_hash(algorithm: str) -> None:
    theirs = RequestValidator(NEW).compute_signature(URL, {"a": "b"}, algorithm)
    headers = {
        "X-Twilio-Signature": theirs,
        "X-Twilio-Webhooks-Signature-Settings": f"key=k,algorithm={algorithm}",
        "Content-Type": FORM,
    }
    assert accepted(Twilio(), headers, "a=b", (NEW,))


@settings(deadline=None)
@given(body=bodies)
def test_twilio_json(body: str) -> None:
    outgoing = Twilio().prepared(Outgoing("1", int(time.time()), URL, body.encode()), (NEW,))
    ours = dict(Twilio().sign(outgoing, (NEW, OLD)))["X-Twilio-Signature"]
    assert RequestValidator(NEW).validate(outgoing.url, body, ours)
    theirs = RequestValidator(OLD).compute_signature(outgoing.url, {})
    headers = {"X-Twilio-Signature": theirs, "Content-Type": "application/json"}
    assert accepted(Twilio(), headers, body, (NEW, OLD), outgoing.url)
    assert not accepted(Twilio(), headers, body + " ", (NEW, OLD), outgoing.url)


@settings(deadline=None)
@given(body=bodies)
def test_sendgrid(body: str) -> None:
    """Its library verifies only; what it would verify, astrio verifies too."""
    key = ec.derive_private_key(7_919, ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    public = base64.b64encode(der).decode()
    headers = signed(SendGrid(), body, (private,))
    library, name = EventWebhook(public), "X-Twilio-Email-Event-Webhook"
    signature, timestamp = headers[f"{name}-Signature"], headers[f"{name}-Timestamp"]
    assert library.verify_signature(body, signature, timestamp)
    assert accepted(SendGrid(), headers, body, (public,))
    assert not library.verify_signature(f"{body} ", signature, timestamp)
    assert not accepted(SendGrid(), headers, f"{body} ", (public,))
