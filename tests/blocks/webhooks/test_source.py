from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import TypeAdapter

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.webhooks.schemes.hmac import Hmac
from astrio.blocks.webhooks.schemes.secret import Secret
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.schemes.stripe import Stripe
from astrio.blocks.webhooks.source import WebhookSource

LITERAL = "canary-secret-1"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def source(**settings: Any) -> WebhookSource:
    return WebhookSource.model_validate({"secret": "${env:CANARY}", **settings})


def test_a_source_is_written_in_one_line() -> None:
    made = source(path="/webhooks/shop", allow=["127.0.0.1/32"], rate="100/s")
    assert made.scheme == StandardWebhooks()
    assert made.secret == ("${env:CANARY}",)
    assert made.networks() == (ip_network("127.0.0.1/32"),)


def test_a_scheme_may_be_told_by_its_name_its_settings_or_json() -> None:
    assert source(scheme="stripe").scheme == Stripe()
    told = {"type": "hmac", "header": "X-Sig"}
    assert source(scheme=told).scheme == Hmac(header="X-Sig")
    assert source(scheme='{"type": "hmac", "header": "X-Sig"}').scheme == Hmac(header="X-Sig")


@pytest.mark.parametrize("wrong", ["strype", "{type: hmac}", "[" * 10_000, 5, None])
def test_an_unknown_scheme_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="scheme"):
        source(scheme=wrong)


def test_the_schema_takes_a_name_too() -> None:
    schema = TypeAdapter(WebhookSource).json_schema()
    kinds = schema["properties"]["scheme"]["anyOf"]
    assert {"type": "string"} in kinds
    assert {"type": "string"} in schema["properties"]["secret"]["anyOf"]


# The product page's snippet.


def snippet(**more: Any) -> dict[str, Any]:
    return {
        "endpoint": "/webhooks/external-service",
        "method": "POST",
        "headers": {"Content-Type": "application/json", "X-Webhook-Secret": "${env:CANARY}"},
        "validation": "signature",
        **more,
    }


def test_the_snippet_compares_the_header_that_it_shows() -> None:
    made = WebhookSource.model_validate(snippet())
    assert made.path == "/webhooks/external-service"
    assert made.scheme == Secret(header="X-Webhook-Secret")
    assert made.secret == ("${env:CANARY}",)
    assert made.content_type == "application/json"
    assert "does not sign the body" in made.warnings()[0]


def test_the_snippet_may_name_a_scheme() -> None:
    made = WebhookSource.model_validate(snippet(scheme="stripe"))
    assert made.scheme == Stripe()
    assert made.warnings() == ()


def test_the_snippet_may_hold_its_secret_elsewhere() -> None:
    made = WebhookSource.model_validate(snippet(headers={}, secret="${env:CANARY}", method="put"))
    assert (made.scheme, made.method) == (Secret(), "PUT")


def test_the_secret_may_stand_in_another_header() -> None:
    made = WebhookSource.model_validate(snippet(headers={"X-Token": "${env:CANARY}"}))
    assert made.scheme == Secret(header="X-Token")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"path": "/x"}, "`path` or `endpoint`"),
        ({"validation": "none"}, "`validation`"),
        ({"headers": "X-Webhook-Secret"}, "names and values"),
        ({"headers": {"A": "x", "B": "y"}}, "several that may be the secret"),
        ({"headers": {"X-Webhook-Secret": "x", "B": "y"}}, "several that may be the secret"),
        ({"secret": "x"}, "the secret once"),
        ({"headers": {}}, "`secret` is missing"),
        ({"method": 5}, "string"),
    ],
)
def test_a_snippet_that_does_not_say_enough_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebhookSource.model_validate(snippet(**more))


# Bad input.


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("path", "webhooks/shop", "begins with /"),
        ("path", "/webhooks/a b", "no spaces"),
        ("path", "/a?x=1", "begins with /"),
        ("method", "FETCH", "POST"),
        ("public_url", "hooks.example.com", "whole URL"),
        ("allow", ["10.0.0.1/8"], "no network"),
        ("allow", ["nobody"], "no network"),
        ("rate", "often", "100/min"),
        ("rate", "0/s", "100/min"),
        ("rate", "5/0s", "100/min"),
        ("max_body_bytes", 0, "greater"),
        ("keep_days", 6, "greater"),
        ("delivery_id", "header:a b", "dotted path"),
        ("delivery_id", "a..b", "dotted path"),
        ("secret", ["x"] * 17, "16"),
        ("secret", 5, "tuple"),
        ("secrte", "x", "Extra"),
    ],
)
def test_bad_settings_are_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        source(**{field: value})


@pytest.mark.parametrize("secret", ["", [], " \n "])
def test_a_source_without_a_secret_is_refused(secret: Any) -> None:
    with pytest.raises(ValueError, match="anybody could send"):
        WebhookSource.model_validate({"path": "/webhooks/shop", "secret": secret})


def test_references_are_checked_when_they_are_resolved() -> None:
    made = source(path="/webhooks/${env:PART}", public_url="${env:URL}")
    assert made.path_of("x") == "/webhooks/${env:PART}"
    assert source().path_of("shop") == "/webhooks/shop"


def test_the_public_url_is_a_whole_one() -> None:
    assert source(public_url="https://hooks.example.com/x?a=1").public_url.endswith("?a=1")


@pytest.mark.parametrize("place", ["header:X-Event-Id", "event.id", "id"])
def test_the_id_is_read_where_it_is_told(place: str) -> None:
    assert source(delivery_id=place).delivery_id == place


# Secrets.


def test_several_secrets_may_live_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", KEY)
    made = source(secret=["${env:CANARY}", "whsec_b3RoZXItc2VjcmV0LTEyMzQ1"])
    assert made.resolved_secrets() == (KEY, "whsec_b3RoZXItc2VjcmV0LTEyMzQ1")
    assert made.literal_secrets() == ("secret",)
    assert source().literal_secrets() == ()


def test_lines_of_a_form_are_several_secrets_and_a_key_is_one() -> None:
    assert source(secret="one secret \n\n two").secret == ("one secret", "two")
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    assert source(secret=pem).secret == (pem,)
    assert source(secret='{"keys":\n []}').secret == ('{"keys":\n []}',)


def test_a_literal_secret_shows_in_no_text_and_no_dump() -> None:
    made = source(secret=LITERAL)
    for text in (repr(made), str(made), repr(made.model_dump()), made.model_dump_json()):
        assert LITERAL not in text
    assert LITERAL not in redact(f"it was {LITERAL}")
    stored = made.model_dump(context={"show_secrets": True})
    assert WebhookSource.model_validate(stored) == made


def test_a_masked_secret_is_never_used() -> None:
    masked = WebhookSource.model_validate(source(secret=LITERAL).model_dump())
    with pytest.raises(ConfigurationError, match="masked"):
        masked.resolved_secrets()


def test_a_secret_that_fits_no_scheme_is_told_before_anything_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", "canary of no form")
    with pytest.raises(ConfigurationError) as caught:
        source().resolved_secrets()
    assert "no base64" in str(caught.value)
    assert "canary" not in str(caught.value)
    monkeypatch.setenv("CANARY", KEY)
    with pytest.raises(ConfigurationError, match="number 2"):
        source(secret=["${env:CANARY}", "?"]).resolved_secrets()


def test_a_password_is_hidden_without_its_user_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "hook:canary-password")
    assert source(scheme="basic").resolved_secrets() == ("hook:canary-password",)
    assert "canary-password" not in redact("it was canary-password")


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANARY", raising=False)
    with pytest.raises(ConfigurationError, match="CANARY"):
        source().resolved_secrets()
