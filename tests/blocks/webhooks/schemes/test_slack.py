from __future__ import annotations

from typing import ClassVar

import pytest
from tests.contracts.signature import SignatureContract

from astrio.blocks.webhooks.schemes.base import Reply
from astrio.blocks.webhooks.schemes.slack import Slack


class TestSlack(SignatureContract):
    scheme: ClassVar = Slack()
    secret: ClassVar = "8f742231b10e8888abcd99yyyzzz85a5"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-slack-signature", "x-slack-request-timestamp")
    body: ClassVar = b'{"type": "event_callback", "event_id": "Ev1"}'
    id_expected: ClassVar = "Ev1"

    def test_the_challenge_is_answered(self) -> None:
        body = b'{"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}'
        assert self.verdict(self.received(body=body)).reply == Reply(200, b"3eZbrw1a")

    def test_a_forged_challenge_is_not_answered(self) -> None:
        body = b'{"type": "url_verification", "challenge": "3eZbrw1a"}'
        verdict = self.verdict(self.received((self.other,), body), (self.secret,))
        assert (verdict.accepted, verdict.reply) == (False, None)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"type": "event_callback", "text": "url_verification"}',
            b'{"type": "url_verification"}',
            b'{"type": "url_verification", "challenge": 5}',
            b"payload=url_verification",
        ],
    )
    def test_what_is_no_challenge_is_an_event(self, body: bytes) -> None:
        verdict = self.verdict(self.received(body=body))
        assert (verdict.accepted, verdict.reply) == (True, None)
