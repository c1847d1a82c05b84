from __future__ import annotations

from typing import ClassVar

import pytest
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.blocks.webhooks.schemes.basic import Basic


class TestBasic(SignatureContract):
    scheme: ClassVar = Basic()
    secret: ClassVar = "hook:canary-1"
    other: ClassVar = "hook:canary-2"
    covered: ClassVar = ("authorization",)
    covers_body: ClassVar = False

    def test_each_changed_byte_of_a_header_is_noticed(self) -> None:
        super().test_each_changed_byte_of_a_header_is_noticed()

    def same(self, received: Received, original: Received) -> bool:
        """The word Basic may be written in any case."""
        return self._lower(received) == self._lower(original)

    def _lower(self, received: Received) -> list[bytes]:
        return [
            value[:6].lower() + value[6:]
            for name, value in received.headers
            if name == b"authorization"
        ]

    @pytest.mark.parametrize("secret", ["canary", "canary:"])
    def test_what_is_no_user_and_password_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="user:password"):
            self.scheme.check_secret(secret)

    def test_empty_credentials_are_never_sent(self) -> None:
        with pytest.raises(ValueError, match="no user"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [""])
