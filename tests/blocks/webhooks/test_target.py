from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.webhooks.schemes.secret import Secret
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks
from astrio.blocks.webhooks.target import WebhookTarget

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def target(**settings: Any) -> WebhookTarget:
    given = {"url": "https://example.com/hooks", "secret": "${env:CANARY}", **settings}
    return WebhookTarget.model_validate(given)


def test_a_target_is_signed_by_standard_webhooks_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANARY", KEY)
    assert target().signing == StandardWebhooks()
    assert target().resolved_secrets() == (KEY,)
    assert target(scheme="secret").signing == Secret()
    assert target().warnings() == ()


def test_a_target_without_a_secret_is_not_signed_and_says_so() -> None:
    plain = target(secret=())
    assert plain.signing is None
    assert plain.resolved_secrets() == ()
    assert "not signed" in plain.warnings()[0]


def test_the_schedule_is_that_of_standard_webhooks_unless_told_otherwise() -> None:
    assert target().retry.schedule()[:3] == (0, 5, 300)
    assert sum(target().retry.schedule()) == 272_105  # 75.6 hours
    product = {"maxRetries": 3, "retryDelay": 1000, "backoffMultiplier": 2}
    assert target(retry=product).retry.schedule() == (0, 1, 2, 4)
    assert target(retry={"max_retries": 0}).retry.schedule() == (0,)
    assert target(retry={"delays": [0, 1]}).retry.schedule() == (0, 1)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "ftp://example.com/x", "begins with https"),
        ("url", "https://me:pw@example.com/x", "user and password"),
        ("url", "https://example.com/a b", "percent-encoded"),
        ("url", "https://example.com/é", "percent-encoded"),
        ("url", "https://example.com/#x", "percent-encoded"),
        ("headers", {"X-A": "a\r\nB: c"}, "line break"),
        ("headers", {"X-A\n": "a"}, "line break"),
        ("rate", "much", "100/min"),
        ("allow_private_hosts", ["http://x"], "no host"),
        ("timeout", 0, "greater"),
        ("concurrency", 0, "greater"),
        ("retry", {"delays": []}, "at least 1"),
    ],
)
def test_bad_settings_are_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        target(**{field: value})


def test_a_scheme_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to sign with"):
        target(secret="", scheme="standard-webhooks")


def test_a_scheme_that_only_the_vendor_can_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="only the vendor itself"):
        target(scheme="paypal")


def test_literals_show_in_no_text_and_no_dump() -> None:
    made = target(secret="canary-secret-1", headers={"Authorization": "Bearer canary-2", "X": "1"})
    for text in (repr(made), str(made), repr(made.model_dump()), made.model_dump_json()):
        assert "canary" not in text
    assert "canary" not in redact("canary-secret-1 Bearer canary-2")
    stored = made.model_dump(context={"show_secrets": True})
    assert WebhookTarget.model_validate(stored) == made


def test_a_url_may_be_a_reference() -> None:
    assert target(url="${env:HOOK_URL}").model_dump()["url"] == "${env:HOOK_URL}"


def test_a_masked_secret_is_never_used() -> None:
    masked = WebhookTarget.model_validate(target(secret="canary-secret-1").model_dump())
    with pytest.raises(ConfigurationError, match="masked"):
        masked.resolved_secrets()
