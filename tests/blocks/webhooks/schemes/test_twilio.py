from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from urllib.parse import parse_qsl

import pytest
from tests.contracts.signature import ID, NOW, SignatureContract

from astrio.blocks.webhooks.forms import FORM
from astrio.blocks.webhooks.schemes.base import Received
from astrio.blocks.webhooks.schemes.twilio import Twilio

BODY = b"CallSid=CA1&Digits=1234&From=%2B14158675309&To=%2B18005551212&Empty=&Digits=1"


class TestTwilioJson(SignatureContract):
    scheme: ClassVar = Twilio()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-twilio-signature",)
    single: ClassVar = ("x-twilio-signature", "i-twilio-idempotency-token", "content-type")
    id_expected: ClassVar = ID

    def test_without_the_hash_of_its_body_it_is_refused(self) -> None:
        form = TestTwilioForm().received(body=b"")
        headers = [
            (name, b"application/json" if name == b"content-type" else value)
            for name, value in form.headers
        ]
        assert self.verdict(replace(form, headers=headers)).accepted  # there is no body to change
        forged = replace(form, headers=headers, body=b'{"a": 1}')
        assert self.verdict(forged).reason == "missing"

    def test_its_body_cannot_be_taken_away_by_calling_it_a_form(self) -> None:
        received = self.received()
        headers = [
            (name, FORM.encode() if name == b"content-type" else value)
            for name, value in received.headers
        ]
        for body in (b"", received.body, b"a=1"):
            assert not self.verdict(replace(received, headers=headers, body=body)).accepted

    def test_a_second_hash_is_refused(self) -> None:
        received = self.received()
        hashed = received.url.partition("bodySHA256=")[2]
        twice = replace(received, url=f"{received.url}&bodySHA256={hashed}")
        assert not self.verdict(twice).accepted

    def test_another_url_is_refused(self) -> None:
        received = self.received()
        other = received.url.replace("hooks.example.com", "evil.example.com")
        assert not self.verdict(replace(received, url=other)).accepted

    @pytest.mark.parametrize(
        ("url", "spelling"),
        [
            ("https://a.example/x", "https://a.example:443/x"),
            ("https://a.example:8443/x", "https://a.example/x"),
            ("http://a.example/x", "http://a.example:80/x"),
            ("https://me:pw@a.example/x", "https://me:pw@a.example:443/x"),
            ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"),
        ],
    )
    def test_the_url_may_be_signed_with_its_port_or_without(self, url: str, spelling: str) -> None:
        case = type(self)()
        case.url = spelling  # type: ignore[misc]
        sent = case.received()
        query = sent.url.partition("?")[2]
        assert self.verdict(replace(sent, url=f"{url}?{query}")).accepted

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            (b"key=k,algorithm=HMAC_SHA1", ""),
            (b"", ""),
            (b"key=k,algorithm=HMAC_SHA256", "signature"),
            (b"algorithm=NONE", "malformed"),
            (b"\xff=,=\xff,algorithm", ""),
        ],
    )
    def test_the_algorithm_is_one_of_two(self, told: bytes, reason: str) -> None:
        received = self.received()
        headers = [*received.headers, (b"x-twilio-webhooks-signature-settings", told)]
        assert self.verdict(replace(received, headers=headers)).reason == reason


class TestTwilioForm(SignatureContract):
    scheme: ClassVar = Twilio()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-twilio-signature",)
    id_expected: ClassVar = ID
    body: ClassVar = BODY
    content_type: ClassVar = FORM

    @pytest.mark.parametrize("body", [b"", b"a=", b"%00=%F0%9F%98%80"])
    def test_any_body_can_be_signed(self, body: bytes) -> None:
        assert self.verdict(self.received(body=body)).accepted

    @pytest.mark.parametrize(
        "body", [b"a", b"a=1&b", b"a=\xc3\xa9", b"a=%FF", b"&".join([b"a=1"] * 1001)]
    )
    def test_what_is_no_form_is_refused(self, body: bytes) -> None:
        sent = self.received()
        assert self.verdict(replace(sent, body=body)).reason == "malformed"

    def test_a_pair_that_is_repeated_is_signed_once(self) -> None:
        sent = self.received()
        twice = replace(sent, body=sent.body + b"&Digits=1")
        assert self.same(twice, sent)
        assert self.verdict(twice).accepted

    def _meant(self, received: Received) -> tuple[object, ...]:
        """Twilio signs names and values without what parts them, and each pair once."""
        signature = [value for name, value in received.headers if name == b"x-twilio-signature"]
        pairs = parse_qsl(received.body.decode("latin-1"), keep_blank_values=True)
        return signature, "".join(sorted({name + value for name, value in pairs}))

    def test_the_same_form_at_another_time_is_accepted(self) -> None:
        assert self.verdict(self.received(), now=NOW + 10**9).accepted
