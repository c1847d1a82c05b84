from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from tests.contracts.signature import ID, NOW, SeveralSignaturesContract, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.hmac import Hmac


class TestHmac(SignatureContract):
    scheme: ClassVar = Hmac()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-signature",)
    timed: ClassVar = False  # type: ignore[assignment] # these settings have no clock


class TestHmacOfIdTimeAndBody(SignatureContract):
    scheme: ClassVar = Hmac(
        signed_content="{{id}}.{{timestamp}}.{{ body }}",
        id_header="X-Id",
        timestamp_header="X-Time",
        prefix="sha512=",
        algorithm="sha512",
        encoding="base64url",
    )
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-signature", "x-id", "x-time")
    id_expected: ClassVar = ID

    def test_an_id_that_could_shift_what_is_signed_is_refused(self) -> None:
        received = self.received()
        place = [name for name, _ in received.headers].index(b"x-id")
        assert self.verdict(self.with_header(received, place, b"a.b")).reason == "malformed"


class TestHmacOfPairs(SeveralSignaturesContract):
    scheme: ClassVar = Hmac(
        header="Vendor-Signature",
        signed_content="{{method}}|{{url}}|{{path}}|{{timestamp}}|{{body}}",
        signature_key="h1",
        timestamp_key="ts",
        separator=";",
        timestamp_unit="milliseconds",
        secret_encoding="base64",
    )
    secret: ClassVar = base64.b64encode(b"canary-1").decode()
    other: ClassVar = base64.b64encode(b"canary-2").decode()
    covered: ClassVar = ("vendor-signature",)
    separator: ClassVar = b";"

    def many(self, count: int) -> Received:
        received = self.received()
        *others, (name, text) = received.headers
        time, right = text.split(b";")
        parts = [time, *([b"h1=00"] * (count - 1)), right]
        return replace(received, headers=[*others, (name, b";".join(parts))])

    def test_another_url_is_refused(self) -> None:
        assert not self.verdict(replace(self.received(), url="https://hooks.example.com/")).accepted

    @pytest.mark.parametrize("text", [b"h1=00", b"ts=1;ts=2;h1=00", b"ts=1", b"ts;h1"])
    def test_pairs_that_lack_or_repeat_something_are_refused(self, text: bytes) -> None:
        received = self.received()
        assert not self.verdict(
            self.with_header(received, len(received.headers) - 1, text)
        ).accepted


class TestHmacOfKeyedSignatureAlone(SeveralSignaturesContract):
    """The signature is one of pairs, with no timestamp among them."""

    covered: ClassVar = ("x-signature",)
    timed: ClassVar = False  # type: ignore[assignment] # these settings have no clock

    def many(self, count: int) -> Received:
        received = self.received()
        *others, (name, right) = received.headers
        parts = [*([b"sig=00"] * (count - 1)), right]
        return replace(received, headers=[*others, (name, b",".join(parts))])

    scheme: ClassVar = Hmac(signature_key="sig", encoding="hex_upper", secret_encoding="hex")
    secret: ClassVar = b"canary-1".hex()
    other: ClassVar = b"canary-2".hex()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signed_content": "{{timestamp}}"}, "body is not signed"),
        ({"signed_content": "{{tme}}.{{body}}"}, "none of body, timestamp"),
        ({"signed_content": "{{timestamp}}.{{body}}"}, "need one another"),
        ({"timestamp_header": "X-Time"}, "need one another"),
        ({"signed_content": "{{id}}.{{body}}"}, "needs id_header"),
        ({"signed_content": "{{id}}{{body}}", "id_header": "X-Id"}, "part the placeholders"),
        ({"signed_content": "{{body}}{{url}}"}, "part the placeholders"),
        ({"signed_content": "{{timestamp}}{{body}}", "timestamp_key": "t"}, "needs signature_key"),
        (
            {
                "signed_content": "{{timestamp}}{{body}}",
                "timestamp_key": "t",
                "timestamp_header": "T",
                "signature_key": "s",
            },
            "and not both",
        ),
        ({"algorithm": "crc32"}, "sha256"),
    ],
)
def test_settings_that_cannot_work_are_told(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Hmac.model_validate(wrong)


@pytest.mark.parametrize(("encoding", "secret"), [("base64", "canary?"), ("hex", "canary")])
def test_a_secret_in_another_spelling_is_refused(encoding: Any, secret: str) -> None:
    scheme = Hmac(secret_encoding=encoding)
    with pytest.raises(ValueError, match=encoding) as caught:
        scheme.check_secret(secret)
    assert secret not in str(caught.value)
    with pytest.raises(ValueError, match="no secret"):
        scheme.sign(Outgoing(ID, NOW, "https://x.example", b""), [secret])
