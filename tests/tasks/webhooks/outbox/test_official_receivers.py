"""What astrio sends is verified by the receivers' own libraries, also while a secret is rotated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
import standardwebhooks
import stripe
import svix
from slack_sdk.signature import SignatureVerifier
from tests.support.server import Seen, answer, replies, serve
from tests.tasks.webhooks.outbox.delivering import SECRET, deliver, subscribe, target

from astrio.tasks.emitting import emit

OLD = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
STRIPE = ("whsec_new_stripe_secret_of_the_endpoint", "whsec_old_stripe_secret_of_the_endpoint")
SLACK = ("8f742231b10e8888abcd99yyyzzz85a5", "1f742231b10e8888abcd99yyyzzz85a5")
Verify = Callable[[str, str, Mapping[str, str]], object]


def by_standard(secret: str, body: str, headers: Mapping[str, str]) -> object:
    return standardwebhooks.Webhook(secret).verify(body, dict(headers))


def by_svix(secret: str, body: str, headers: Mapping[str, str]) -> object:
    return svix.Webhook(secret).verify(body, dict(headers))


def by_stripe(secret: str, body: str, headers: Mapping[str, str]) -> object:
    signature = headers["Stripe-Signature"]
    return stripe.WebhookSignature.verify_header(body, signature, secret, tolerance=300)


def by_slack(secret: str, body: str, headers: Mapping[str, str]) -> object:
    lower = {name.lower(): value for name, value in headers.items()}
    if not SignatureVerifier(secret).is_valid_request(body, lower):
        raise ValueError("slack_sdk refuses it")
    return True


CASES = [
    pytest.param("standard-webhooks", (SECRET, OLD), by_standard, True, id="standardwebhooks"),
    pytest.param("svix", (SECRET, OLD), by_svix, True, id="svix"),
    pytest.param("stripe", STRIPE, by_stripe, True, id="stripe"),
    pytest.param("slack", SLACK, by_slack, False, id="slack_sdk"),
]


@pytest.fixture(autouse=True)
def _own_home(home: object) -> None:
    """Each test has a ledger of its own."""


def sent(scheme: str, secrets: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[Seen]:
    """Return the requests of one event, whose first attempt fails."""
    for place, secret in enumerate(secrets):
        monkeypatch.setenv(f"SECRET_{place}", secret)
    references = [f"${{env:SECRET_{place}}}" for place in range(len(secrets))]
    with serve(replies(answer({}, status=500), {})) as server:
        subscribe({"t": target(server.url, scheme=scheme, secret=references)})
        emit("user.created", {"name": "Ada ✓", "id": 7})
        deliver()
        return list(server.requests)


@pytest.mark.parametrize(("scheme", "secrets", "verify", "rotates"), CASES)
def test_the_library_takes_every_attempt(
    scheme: str,
    secrets: tuple[str, str],
    verify: Verify,
    rotates: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests = sent(scheme, secrets[:1], monkeypatch)
    assert len(requests) == 2
    for request in requests:
        assert json.loads(request.body) == {"name": "Ada ✓", "id": 7}
        verify(secrets[0], request.body.decode(), request.headers)
        with pytest.raises(Exception):  # noqa: B017, PT011 (each library has its own)
            verify(secrets[1], request.body.decode(), request.headers)


@pytest.mark.parametrize(("scheme", "secrets", "verify", "rotates"), CASES)
def test_during_a_rotation_the_library_takes_it_with_either_secret(
    scheme: str,
    secrets: tuple[str, str],
    verify: Verify,
    rotates: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = sent(scheme, secrets, monkeypatch)[-1]
    verify(secrets[0], request.body.decode(), request.headers)
    if rotates:  # Slack's header holds one signature only
        verify(secrets[1], request.body.decode(), request.headers)
