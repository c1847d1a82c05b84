from __future__ import annotations

from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Reply
from astrio.blocks.webhooks.schemes.discord import Discord

PRIVATE = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()


class TestDiscord(SignatureContract):
    scheme: ClassVar = Discord()
    secret: ClassVar = f"private:{PRIVATE.hex()}"
    other: ClassVar = f"private:{bytes(range(1, 33)).hex()}"
    covered: ClassVar = ("x-signature-ed25519", "x-signature-timestamp")
    body: ClassVar = b'{"type": 2, "id": "123", "token": "x"}'
    id_expected: ClassVar = "123"

    def test_both_sides_may_rotate_at_once(self) -> None:
        sent = self.received((self.other,))
        assert self.verdict(sent, (self.secret, self.other)).accepted

    def test_the_public_key_verifies(self) -> None:
        self.scheme.check_secret(PUBLIC.hex())
        assert self.verdict(self.received(), (PUBLIC.hex(),)).accepted
        with pytest.raises(ValueError, match="private key"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [PUBLIC.hex()])

    @pytest.mark.parametrize("secret", ["canary", "ab" * 31, "private:zz"])
    def test_what_is_no_key_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="no key"):
            self.scheme.check_secret(secret)

    @pytest.mark.parametrize(
        ("body", "reply"),
        [
            (b'{"version": 1, "type": 0}', Reply(204, content_type=b"application/json")),
            (
                b'{"id": "1", "type": 1, "token": "x"}',
                Reply(200, b'{"type":1}', b"application/json"),
            ),
            (b'{"version": 1, "type": 1, "event": {"type": "X"}}', None),
            (b'{"type": true}', None),
            (b'{"type": 2}', None),
            (b'{"type": 0, "x": "' + b"x" * 10_000 + b'"}', None),
            (b"[]", None),
        ],
    )
    def test_a_ping_is_answered(self, body: bytes, reply: Reply | None) -> None:
        verdict = self.verdict(self.received(body=body))
        assert (verdict.accepted, verdict.reply) == (True, reply)

    def test_a_forged_ping_is_refused(self) -> None:
        sent = self.received((self.other,), b'{"type": 1}')
        assert not self.verdict(sent, (self.secret,)).accepted
