from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.webhooks.forms import FORM
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Verdict
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.sending import Signed, sample, signed
from astrio.blocks.webhooks.source import WebhookSource

NOW = 1_700_000_000
LOCAL = "http://127.0.0.1:8787/webhooks/shop"
PUBLIC = "https://hooks.example.com/webhooks/shop"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "private:" + bytes(range(32)).hex()


def received(request: Signed, source: WebhookSource) -> Received:
    """Return the sample as the gateway sees it: the public URL with the request's own query."""
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    parts = urlsplit(request.url)
    base = source.public_url or f"{parts.scheme}://{parts.netloc}{parts.path}"
    known = urlsplit(base)
    query = parts.query or known.query
    path = known.path + parts.path.removeprefix(urlsplit(LOCAL).path)
    url = f"{known.scheme}://{known.netloc}{path}{'?' + query if query else ''}"
    return Received(request.method, url, headers, request.body)


def judged(source: WebhookSource, payload: bytes, url: str = LOCAL, **more: Any) -> Verdict:
    request = sample(source, payload, url=url, delivery_id="sample-1", timestamp=NOW, **more)
    return source.scheme.verify(received(request, source), source.resolved_secrets(), NOW)


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        *((name, KEY) for name in ("standard-webhooks", "svix", "stripe", "github", "slack")),
        *((name, "canary-1") for name in ("shopify", "hookdeck", "convoy", "hmac", "secret")),
        ("twilio", "canary-1"),
        ("basic", "hook:canary-1"),
        ("mailchimp", "canary-0123456789"),
        ({"type": "mailchimp", "place": "path"}, "canary-0123456789"),
        ("mailchimp-transactional", "canary-1"),
        ("jwt", "canary-1" * 4),
        ("discord", PRIVATE),
    ],
)
def test_a_sample_is_what_the_source_accepts(scheme: Any, secret: str) -> None:
    for public in ("", PUBLIC, f"{PUBLIC}?a=1"):
        source = WebhookSource.model_validate(
            {"scheme": scheme, "secret": secret, "public_url": public}
        )
        verdict = judged(source, b'[{"event": "send", "id": 7}]')
        assert verdict.accepted, verdict.reason


def test_a_form_is_sent_as_a_form() -> None:
    source = WebhookSource.model_validate(
        {"scheme": "twilio", "secret": "canary-1", "public_url": PUBLIC}
    )
    request = sample(source, b"From=%2B1&Body=x", url=LOCAL, delivery_id="1", timestamp=NOW)
    assert dict(request.headers)["Content-Type"] == FORM
    assert request.url == LOCAL
    assert judged(source, b"From=%2B1&Body=x").accepted


def test_the_content_type_is_that_of_the_source_or_of_the_payload() -> None:
    def kind(payload: bytes, content_type: str = "") -> str:
        source = WebhookSource.model_validate(
            {"scheme": "github", "secret": "canary-1", "content_type": content_type}
        )
        request = sample(source, payload, url=LOCAL, delivery_id="1", timestamp=NOW)
        return dict(request.headers)["Content-Type"]

    assert kind(b"{}") == "application/json"
    assert kind(b"hello") == "text/plain"
    assert kind(b"<a/>", "application/xml") == "application/xml"


def test_a_url_with_a_query_of_its_own_keeps_it() -> None:
    source = WebhookSource.model_validate(
        {"scheme": "mailchimp", "secret": "canary-0123456789", "public_url": PUBLIC}
    )
    request = sample(source, b"{}", url=f"{LOCAL}?a=1", delivery_id="1", timestamp=NOW)
    assert request.url == f"{LOCAL}?a=1&secret=canary-0123456789"


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        ("paypal", "9XL90610J3647323C"),
        ({"type": "mtls", "subjects": ["CN=a"]}, ()),
        ("discord", PRIVATE.replace("private:", "")),
    ],
)
def test_what_only_the_vendor_can_sign_is_told(scheme: Any, secret: Any) -> None:
    source = WebhookSource.model_validate({"scheme": scheme, "secret": secret})
    with pytest.raises(ConfigurationError, match="cannot be signed here"):
        sample(source, b"{}", url=LOCAL, delivery_id="1", timestamp=NOW)


def test_a_private_key_of_one_s_own_signs_a_sample() -> None:
    source = WebhookSource.model_validate({"scheme": "discord", "secret": PRIVATE})
    assert judged(source, b'{"id": "1"}', secrets=[PRIVATE]).delivery_id == "1"


def test_a_delivery_without_a_scheme_tells_its_id_and_time() -> None:
    outgoing = Outgoing("msg_1", NOW, LOCAL, b"{}")
    assert signed(None, outgoing, ()) == Signed(
        "POST",
        LOCAL,
        (
            ("Content-Type", "application/json"),
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", str(NOW)),
        ),
        b"{}",
    )


def test_a_delivery_is_signed_with_each_live_secret() -> None:
    other = "whsec_b3RoZXItc2VjcmV0LTEyMzQ1"
    found = signed(StandardWebhooks(), Outgoing("msg_1", NOW, LOCAL, b"{}"), (KEY, other))
    assert dict(found.headers)["webhook-signature"].count("v1,") == 2
