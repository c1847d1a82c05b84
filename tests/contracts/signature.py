"""What is true of every signature scheme; each one's test class inherits this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrio.blocks.webhooks.reading import Refusal
from astrio.blocks.webhooks.schemes.base import (
    Outgoing,
    Received,
    TimedScheme,
    Verdict,
)

NOW = 1_700_000_000
# Long inputs are the point, and a test that is inherited has several owners.
UNCHECKED = [HealthCheck.differing_executors, HealthCheck.too_slow, HealthCheck.data_too_large]
ID = "msg_2f1c9a"
BODY = b'{"type": "order.created", "id": 7, "name": "Zo\xc3\xab"}'

hostile = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from(
        [
            *(b"", b" ", b",", b"=", b"v1", b"v1,", b"v1,x,y", b"v1,a", b"abc", b"t=,v1=", b"v0="),
            *(b"Infinity", b"-1", b"1e9", b"9" * 400, b"NaN", b"\xb9\xb2\xb3", b"sha256="),
            *(b"v1," + b"A" * 65_536, b"v1,aa " * 10_000, b"t=1," * 10_000, b"\r\nX: y", b"\x00"),
        ]
    ),
)


anything = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["https://[::1", "https://a:b:c/x", "http://a:99999/", "\ud800", "?bodySHA256=\udfff", "\x00"]
)


class SignatureContract:
    """Set `scheme`, two secrets that fit it, and the headers that it reads.

    A scheme that only the vendor can sign overrides `sign`.

    Attributes:
        covered: headers whose every byte matters, in lower case.
        single: headers that may stand only once.
        id_expected: the delivery's id that it tells.
        covers_body: whether a changed body is noticed.
        proves_body: whether something else than the request proves the body.
    """

    scheme: ClassVar[Any]
    secret: ClassVar[str]
    other: ClassVar[str]
    covered: ClassVar[Sequence[str]]
    single: ClassVar[Sequence[str] | None] = None
    id_expected: ClassVar[str | None] = None
    covers_body: ClassVar[bool] = True
    proves_body: ClassVar[bool] = False
    body: ClassVar[bytes] = BODY
    url: ClassVar[str] = "https://hooks.example.com/webhooks/shop?a=1"
    content_type: ClassVar[str] = "application/json"

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Return the headers that the vendor would send."""
        return self.scheme.sign(outgoing, secrets)

    def received(
        self, secrets: Sequence[str] = (), body: bytes | None = None, timestamp: int = NOW
    ) -> Received:
        """Return a request as it arrives, signed with the newest secret."""
        secrets = secrets or (self.secret,)
        text = self.body if body is None else body
        plain = Outgoing(ID, timestamp, self.url, text, content_type=self.content_type)
        outgoing = self.scheme.prepared(plain, secrets)
        signed = [
            (name.lower().encode(), value.encode()) for name, value in self.sign(outgoing, secrets)
        ]
        common = [
            (b"host", b"hooks.example.com"),
            (b"content-type", self.content_type.encode()),
            (b"user-agent", b"vendor/1"),
        ]
        return Received("POST", outgoing.url, [*common, *signed], outgoing.body)

    def verdict(
        self, received: Received, secrets: Sequence[str] | None = None, now: float = NOW
    ) -> Verdict:
        """Judge a request; nothing but a refusal may be raised within."""
        live = (self.secret,) if secrets is None else secrets
        try:
            inner = self.scheme.judge(received, live, now)
        except Refusal as refusal:
            inner = Verdict(False, refusal.reason)
        outer = self.scheme.verify(received, live, now)
        assert outer == inner
        assert outer.accepted is (not outer.reason)
        return outer

    def same(self, received: Received, original: Received) -> bool:
        """Whether a changed request means the same, so that the vendor did sign it."""
        return self._meant(received) == self._meant(original)

    def _meant(self, received: Received) -> tuple[object, ...]:
        headers = [pair for pair in received.headers if pair[0].decode("latin-1") in self.covered]
        return (sorted(headers), received.body if self.covers_body else b"")

    # What is accepted.

    def test_a_genuine_request_is_accepted(self) -> None:
        verdict = self.verdict(self.received())
        assert verdict == Verdict(True, delivery_id=self.id_expected, reply=verdict.reply)

    @pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe", b"[" * 20_000])
    def test_any_body_can_be_signed(self, body: bytes) -> None:
        assert self.verdict(self.received(body=body)).accepted

    def test_each_of_several_secrets_fits(self) -> None:
        for order in ((self.secret, self.other), (self.other, self.secret)):
            assert self.verdict(self.received(), order).accepted

    def test_both_sides_may_rotate_at_once(self) -> None:
        sent = self.received((self.other, self.secret))
        assert self.verdict(sent, (self.other,)).accepted

    # What is refused.

    def test_another_secret_is_refused(self) -> None:
        assert not self.verdict(self.received(), (self.other,)).accepted

    @pytest.mark.parametrize("secrets", [(), ("",), ("", " "), ("\u20ac", "")])
    def test_no_secret_and_an_empty_one_fit_nothing(self, secrets: tuple[str, ...]) -> None:
        assert not self.verdict(self.received(), secrets).accepted

    def test_each_changed_byte_of_the_body_is_noticed(self) -> None:
        if not self.covers_body:
            pytest.skip("the vendor does not sign the body")
        received = self.received()
        for body in _changed(received.body):
            assert not self.verdict(replace(received, body=body)).accepted, body

    def test_each_changed_byte_of_a_header_is_noticed(self) -> None:
        received = self.received()
        for place, (name, value) in enumerate(received.headers):
            if name.decode() in self.covered:
                for changed in _changed(value):
                    other = self.with_header(received, place, changed)
                    assert not self.verdict(other).accepted, (name, changed)

    def test_a_missing_header_is_refused(self) -> None:
        received = self.received()
        for name in self.covered:
            others = [pair for pair in received.headers if pair[0] != name.encode()]
            assert len(others) < len(received.headers), name
            assert not self.verdict(replace(received, headers=others)).accepted

    def test_a_repeated_header_is_refused(self) -> None:
        received = self.received()
        for name in self.covered if self.single is None else self.single:
            value = dict(received.headers)[name.encode()]
            for again in (value, b"x"):
                headers = [*received.headers, (name.encode(), again)]
                verdict = self.verdict(replace(received, headers=headers))
                assert verdict.reason == "duplicate_header", name

    @pytest.mark.parametrize("value", [b"", b"\xff\xfe", b"a\r\nb: c", b"9" * 70_000])
    def test_nonsense_in_a_header_is_refused(self, value: bytes) -> None:
        received = self.received()
        for place, (name, _) in enumerate(received.headers):
            if name.decode() in self.covered:
                assert not self.verdict(self.with_header(received, place, value)).accepted

    @settings(max_examples=60, deadline=None, suppress_health_check=UNCHECKED)
    @given(data=st.data())
    def test_hostile_requests_never_raise(self, data: st.DataObject) -> None:
        received = self.received()
        names = st.sampled_from([name for name, _ in received.headers])
        headers = data.draw(st.lists(st.tuples(names, hostile), max_size=6))
        kept = data.draw(st.lists(st.sampled_from(received.headers), unique=True))
        body = data.draw(hostile | st.just(received.body))
        changed = replace(received, headers=[*kept, *headers], body=body)
        assert not self.verdict(changed).accepted or self.same(changed, received)

    @settings(max_examples=40, deadline=None, suppress_health_check=UNCHECKED)
    @given(url=anything, secret=anything, method=anything, now=st.floats(), keep=st.booleans())
    def test_nothing_at_all_makes_it_raise(
        self, url: str, secret: str, method: str, now: float, keep: bool
    ) -> None:
        received = self.received()
        odd = replace(
            received, url=url, method=method, documents={url: secret.encode("utf-8", "replace")}
        )
        live = [secret, self.secret] if keep else [secret]
        assert self.scheme.verify(odd, live, now).accepted in (True, False)
        assert not self.scheme.verify(replace(odd, headers=[]), [secret], now).wants

    # The clock.

    def test_only_a_timestamp_near_to_now_is_accepted(self) -> None:
        if not self.timed:
            pytest.skip("the scheme has no clock")
        assert isinstance(self.scheme, TimedScheme)
        reach = self.scheme.tolerance
        for away in (-reach, reach):
            assert self.verdict(self.received(timestamp=NOW + away)).accepted
            beyond = NOW + away + (1 if away > 0 else -1)
            assert self.verdict(self.received(timestamp=beyond)).reason == "timestamp"

    def test_milliseconds_are_no_seconds(self) -> None:
        if not self.timed:
            pytest.skip("the scheme has no clock")
        assert self.verdict(self.received(timestamp=NOW * 1000)).reason == "timestamp"

    # Secrets.

    def test_it_tells_whether_the_body_is_proved(self) -> None:
        assert self.scheme.signed is (self.covers_body or self.proves_body)
        assert self.scheme.secret_in_path in (False, True)

    def test_a_secret_that_fits_is_taken(self) -> None:
        self.scheme.check_secret(self.secret)
        self.scheme.check_secret(self.other)

    @pytest.mark.parametrize("secret", ["", "   "])
    def test_an_empty_secret_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match=r".") as caught:
            self.scheme.check_secret(secret)
        assert "canary" not in str(caught.value)

    def test_nothing_can_be_signed_without_a_secret(self) -> None:
        outgoing = Outgoing(ID, NOW, self.url, self.body)
        with pytest.raises((ValueError, NotImplementedError)):
            self.scheme.sign(outgoing, ())

    @property
    def timed(self) -> bool:
        """Whether the scheme has a clock in these settings."""
        return isinstance(self.scheme, TimedScheme)

    @staticmethod
    def with_header(received: Received, place: int, value: bytes) -> Received:
        """Return the request with another value in one of its headers."""
        headers = list(received.headers)
        headers[place] = (headers[place][0], value)
        return replace(received, headers=headers)


class SeveralSignaturesContract(SignatureContract):
    """For a scheme that takes several signatures in one header.

    Attributes:
        separator: what parts them; further ones, of whatever kind, change nothing.
    """

    separator: ClassVar[bytes] = b","

    def same(self, received: Received, original: Received) -> bool:
        """Whether every part that was sent is still there, and nothing that counts once twice."""
        (*rest, changed), (*others, sent) = self._parts(received), self._parts(original)
        return rest == others and sent <= changed

    def _parts(self, received: Received) -> tuple[object, object, set[bytes]]:
        last = self.covered[-1].encode()
        given = [value for name, value in received.headers if name == last]
        plain = [pair for pair in received.headers if pair[0].decode("latin-1") in self.covered]
        parts = {part.strip(b" ") for value in given for part in value.split(self.separator)}
        return sorted(pair for pair in plain if pair[0] != last), received.body, parts

    def many(self, count: int) -> Received:
        """Return a request with so many signatures, the last of which is right."""
        raise NotImplementedError

    def test_sixteen_signatures_are_looked_at_and_no_more(self) -> None:
        assert self.verdict(self.many(16)).accepted
        assert self.verdict(self.many(17)).reason == "malformed"
        assert not self.verdict(self.many(10_000)).accepted

    def test_one_of_several_signatures_is_enough(self) -> None:
        assert self.verdict(self.many(2)).accepted


def _changed(text: bytes) -> Iterator[bytes]:
    """Yield the text with each byte changed, and with one taken away or added at either end."""
    for place in range(len(text)):
        yield text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
    if text:
        yield text[1:]
        yield text[:-1]
    yield text + b"0"
    yield b"0" + text
