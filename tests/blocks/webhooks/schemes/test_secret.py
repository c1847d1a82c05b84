from __future__ import annotations

from typing import ClassVar

import pytest
from tests.contracts.signature import BODY, ID, NOW, SignatureContract

from astrio.blocks.webhooks.schemes.base import Outgoing
from astrio.blocks.webhooks.schemes.secret import Secret


class TestSecret(SignatureContract):
    scheme: ClassVar = Secret()
    secret: ClassVar = "canary-9281"
    other: ClassVar = "canary-9282"
    covered: ClassVar = ("x-webhook-secret",)
    covers_body: ClassVar = False

    @pytest.mark.parametrize("secret", ["a\nb", "é", " a", "a\x00"])
    def test_a_secret_that_no_header_can_carry_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="header cannot carry"):
            self.scheme.check_secret(secret)

    def test_an_empty_secret_is_never_sent(self) -> None:
        with pytest.raises(ValueError, match="no secret"):
            self.scheme.sign(Outgoing(ID, NOW, self.url, BODY), [""])


class TestSecretInAnotherHeader(TestSecret):
    scheme: ClassVar = Secret(header="X-Token", prefix="Bearer ", id_header="X-Event-Id")
    covered: ClassVar = ("x-token",)
    single: ClassVar = ("x-token", "x-event-id")
    id_expected: ClassVar = ID


@pytest.mark.parametrize("header", ["", "a b", "a:b", "é", "a\n"])
def test_what_is_no_name_of_a_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="header"):
        Secret(header=header)
