from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from urllib.parse import parse_qsl

import pytest
from tests.contracts.signature import ID, NOW, SignatureContract

from astrio.blocks.webhooks.forms import FORM
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Reply
from astrio.blocks.webhooks.schemes.mailchimp_transactional import MailchimpTransactional


class TestMailchimpTransactional(SignatureContract):
    scheme: ClassVar = MailchimpTransactional()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-mandrill-signature",)
    body: ClassVar = b"mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D"
    content_type: ClassVar = FORM

    @pytest.mark.parametrize("body", [b"", b"a=", b"%00=%F0%9F%98%80"])
    def test_any_body_can_be_signed(self, body: bytes) -> None:
        assert self.verdict(self.received(body=body)).accepted

    def test_the_request_that_tries_the_url_is_answered_and_no_event(self) -> None:
        trial = self.received(("test-webhook",), b"mandrill_events=%5B%5D")
        assert self.verdict(trial).reply == Reply(200)

    def test_the_key_of_the_trial_signs_nothing_else(self) -> None:
        forged = self.received(("test-webhook",), b"mandrill_events=%5B%7B%7D%5D")
        assert not self.verdict(forged).accepted

    def test_another_url_is_refused(self) -> None:
        assert not self.verdict(replace(self.received(), url=f"{self.url}/")).accepted

    def test_what_is_no_form_cannot_be_signed(self) -> None:
        with pytest.raises(Exception, match="malformed"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, b"{}"), [self.secret])

    def _meant(self, received: Received) -> tuple[object, ...]:
        """It signs names and values without what parts them."""
        signature = [
            value for name, value in received.headers if name in (b"x-mandrill-signature",)
        ]
        pairs = parse_qsl(received.body.decode("latin-1"), keep_blank_values=True)
        return signature, "".join(name + value for name, value in sorted(pairs))
