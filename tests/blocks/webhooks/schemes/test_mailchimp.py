from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.signature import BODY, ID, NOW, UNCHECKED, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Reply
from astrio.blocks.webhooks.schemes.mailchimp import Mailchimp


class TestMailchimp(SignatureContract):
    scheme: ClassVar[Mailchimp] = Mailchimp()
    secret: ClassVar = "canary-0123456789"
    other: ClassVar = "canary-9876543210"
    covered: ClassVar = ()
    covers_body: ClassVar = False

    @pytest.mark.parametrize("secret", ["short", "with a space in between", "x" * 257, "é" * 16])
    def test_what_could_be_guessed_or_cannot_stand_in_a_url_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="16 to 256"):
            self.scheme.check_secret(secret)

    def test_the_request_that_tries_the_url_is_answered(self) -> None:
        verdict = self.verdict(replace(self.received(), method="GET"))
        assert (verdict.accepted, verdict.reply) == (True, Reply(200))
        forged = replace(self.received((self.other,)), method="GET")
        assert self.verdict(forged, (self.secret,)).reply is None

    @settings(suppress_health_check=UNCHECKED)
    @given(st.text(max_size=40))
    def test_another_url_is_refused(self, text: str) -> None:
        received = self.received()
        for url in (f"https://hooks.example.com/?secret={text}", received.url + text, text):
            verdict = self.scheme.verify(replace(received, url=url), [self.secret], NOW)
            assert not verdict.accepted or self._given(url) == self.secret

    def test_a_repeated_parameter_is_refused(self) -> None:
        received = self.received()
        twice = replace(received, url=f"{received.url}&secret={self.secret}")
        assert self.verdict(twice).reason == "duplicate_header"

    def test_an_empty_secret_is_never_sent(self) -> None:
        with pytest.raises(ValueError, match="no secret"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [""])

    def test_a_url_without_a_query_gets_one(self) -> None:
        outgoing = Outgoing(ID, NOW, "https://a.example/x", BODY)
        assert self.scheme.prepared(outgoing, [self.secret]).url in (
            f"https://a.example/x?secret={self.secret}",
            f"https://a.example/x/{self.secret}",
        )

    def _given(self, url: str) -> str:
        found = url.partition("secret=")[2]
        for end in "&#;":
            found = found.partition(end)[0]
        return found.strip("\t\r\n")

    def test_no_secret_and_an_empty_one_fit_nothing_at_all(self) -> None:
        assert not self.scheme.secret_in_path
        bare = replace(self.received(), url="https://hooks.example.com/?secret=")
        assert not self.verdict(bare, ("",)).accepted


class TestMailchimpInThePath(TestMailchimp):
    scheme: ClassVar = Mailchimp(place="path")

    def test_a_repeated_parameter_is_refused(self) -> None:
        received = self.received()
        assert urlsplit(received.url).path.endswith(self.secret)

    def _given(self, url: str) -> str:
        return urlsplit(url).path.rpartition("/")[2]

    def test_no_secret_and_an_empty_one_fit_nothing_at_all(self) -> None:
        assert self.scheme.secret_in_path
        bare = replace(self.received(), url="https://hooks.example.com/")
        assert not self.verdict(bare, ("",)).accepted
