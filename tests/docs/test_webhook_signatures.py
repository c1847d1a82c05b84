"""The page of signatures: its table tells what the schemes do, its examples verify a sample."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.blocks.webhooks.schemes.test_mtls import TestMutualTls as _MutualTls
from tests.blocks.webhooks.schemes.test_paypal import TestPayPal as _PayPal

from astrio.blocks.webhooks.ranges.reading import vendors
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme
from astrio.blocks.webhooks.schemes.choice import scheme_names
from astrio.blocks.webhooks.sending import sample
from astrio.blocks.webhooks.source import WebhookSource

PAGE = (Path(__file__).parents[2] / "docs" / "webhook-signatures.md").read_text(encoding="utf-8")
EXAMPLES = {
    text.partition("\n")[0].removeprefix("name: "): yaml.safe_load(text)["source"]["webhook"]
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
ROWS = {
    row[0].strip(" `"): [cell.strip() for cell in row[1:]]
    for row in (line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| `"))
}
NOW = 1_700_000_000
SECRETS = {
    "jwt": "canary-docs-" * 4,
    "standard-webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "svix": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "basic": "hook:canary-docs",
    "discord": "private:" + bytes(range(32)).hex(),
}


def source(settings: Any) -> WebhookSource:
    return WebhookSource.model_validate(settings)


def sent(made: WebhookSource, secret: str) -> tuple[str, ...]:
    """Return the names of the headers that the vendor signs with."""
    kind = made.scheme.kind()
    outgoing = Outgoing("1", NOW, "https://x.example", b"{}")
    vendor: Any = {"paypal": _PayPal, "mtls": _MutualTls}.get(kind)
    signer = vendor() if vendor else made.scheme
    return tuple(name for name, _ in signer.sign(outgoing, [secret, secret]))


def test_the_table_has_every_scheme() -> None:
    assert sorted(ROWS) == scheme_names()


@pytest.mark.parametrize("name", [name for name in scheme_names() if name != "sendgrid"])
def test_the_table_tells_the_headers_and_the_window(name: str) -> None:
    headers, _, window, identity = ROWS[name]
    settings = {"type": name, **({"subjects": ["a"]} if name == "mtls" else {})}
    secret = SECRETS.get(name, "canary-docs-12345")
    made = source({"scheme": settings, "secret": [] if name == "mtls" else secret})
    told = re.findall(r"`([A-Za-z0-9-]+)`", headers) + re.findall(r"`([A-Za-z0-9-]+)`", identity)
    body = b"" if name == "mailchimp-transactional" else b"{}"
    assert set(sent(made, secret) if body else ("X-Mandrill-Signature",)) <= set(told)
    clock = isinstance(made.scheme, TimedScheme)
    seconds = made.scheme.tolerance if isinstance(made.scheme, TimedScheme) else "none"
    assert window.partition(",")[0] == str(seconds), clock


@pytest.mark.parametrize("name", [each for each in EXAMPLES if each != "payments"])
def test_an_example_accepts_what_its_vendor_sends(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = source(EXAMPLES[name])
    secret = SECRETS.get(made.scheme.kind(), "canary-docs-1234567890-1234567890")
    for variable in re.findall(r"env:(\w+)", str(EXAMPLES[name])):
        monkeypatch.setenv(variable, secret)
    if made.scheme.kind() == "mtls":
        received = _MutualTls().received()
    else:
        url = made.public_url or f"https://hooks.example.com{made.path_of(name)}"
        request = sample(made, b'{"id": 7}', url=url, delivery_id="1", timestamp=NOW)
        assert urlsplit(request.url).path == made.path_of(name)
        pairs = [(key.lower().encode(), value.encode()) for key, value in request.headers]
        received = Received(request.method, request.url, pairs, request.body)
    assert made.scheme.verify(received, made.resolved_secrets(), NOW).accepted
    assert not made.scheme.verify(received, (), NOW).accepted or not made.scheme.needs_secret


def test_the_example_of_paypal_is_read() -> None:
    assert source(EXAMPLES["payments"]).scheme.kind() == "paypal"


def test_the_warning_is_of_the_schemes_that_the_page_names() -> None:
    assert source(EXAMPLES["secret-in-a-header"]).warnings()
    for name in ("basic", "mailchimp"):
        assert source({"scheme": name, "secret": "x"}).warnings()


def test_the_page_names_the_vendors_whose_networks_are_known() -> None:
    assert ", ".join(f"`{vendor}`" for vendor in vendors()) in PAGE.replace("\n", " ")
