"""Signed requests of the vendors' own libraries and documentation; each tells its source."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from astrio.blocks.webhooks.schemes.base import Received, Scheme
from astrio.blocks.webhooks.schemes.convoy import Convoy
from astrio.blocks.webhooks.schemes.github import GitHub
from astrio.blocks.webhooks.schemes.hmac import Hmac
from astrio.blocks.webhooks.schemes.sendgrid import SendGrid
from astrio.blocks.webhooks.schemes.shopify import Shopify
from astrio.blocks.webhooks.schemes.slack import Slack
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.schemes.stripe import Stripe
from astrio.blocks.webhooks.schemes.svix import Svix
from astrio.blocks.webhooks.schemes.twilio import Twilio

FILE = Path(__file__).parent / "data" / "webhook_signatures.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
SCHEMES: dict[str, Scheme] = {
    "standard-webhooks": StandardWebhooks(),
    "svix": Svix(),
    "stripe": Stripe(),
    "github": GitHub(),
    "slack": Slack(),
    "shopify": Shopify(),
    "twilio": Twilio(),
    "sendgrid": SendGrid(),
}


def scheme_of(vector: dict[str, Any]) -> Scheme:
    parts = vector["scheme"].split("-")
    match vector["provider"]:
        case "convoy":
            _, style, algorithm, encoding = parts
            return Convoy(style=style, algorithm=algorithm, encoding=encoding)
        case "outpost":
            return Hmac(header="x-signature", algorithm=parts[-1])
        case provider:
            return SCHEMES[provider]


def received(vector: dict[str, Any]) -> Received:
    headers = [(name.lower().encode(), value.encode()) for name, value in vector["headers"].items()]
    url = vector.get("url", "https://hooks.example.com/webhooks/shop")
    return Received("POST", url, headers, base64.b64decode(vector["raw_body_b64"]))


def test_no_vector_is_left_out() -> None:
    assert len(VECTORS) == 81


@pytest.mark.parametrize("vector", VECTORS, ids=[each["id"] for each in VECTORS])
def test_the_verdict_is_that_of_a_strict_verifier(vector: dict[str, Any]) -> None:
    now = vector["timestamp_now"] or 0
    verdict = scheme_of(vector).verify(received(vector), [vector["secret"]], now)
    assert verdict.accepted is vector["valid"], verdict.reason


SIGNED = [each for each in VECTORS if each["valid"] and "signing_key" in each]


@pytest.mark.parametrize("vector", SIGNED, ids=[each["id"] for each in SIGNED])
def test_the_private_key_makes_the_same_signature(vector: dict[str, Any]) -> None:
    from astrio.blocks.webhooks.schemes.base import Outgoing

    headers = vector["headers"]
    prefix = vector["provider"].replace("standard-webhooks", "webhook")
    body = base64.b64decode(vector["raw_body_b64"])
    timestamp = int(headers[f"{prefix}-timestamp"])
    outgoing = Outgoing(headers[f"{prefix}-id"], timestamp, "https://x.example", body)
    assert dict(scheme_of(vector).sign(outgoing, [vector["signing_key"]])) == headers
