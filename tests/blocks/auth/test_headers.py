from __future__ import annotations

from typing import ClassVar

from tests.contracts.auth import REFERENCE, SECRET, AuthContract

from astrio.blocks.auth.headers import HeadersAuth


class TestHeaders(AuthContract):
    settings: ClassVar = {
        "type": "headers",
        "headers": {"X-Key": REFERENCE, "Authorization": f"Token token={REFERENCE}"},
    }
    sent_headers: ClassVar = {"X-Key": SECRET, "Authorization": f"Token token={SECRET}"}

    def test_only_literals_are_masked(self) -> None:
        auth = HeadersAuth(headers={"A": "${env:A}", "B": "literal-value"})
        assert auth.model_dump()["headers"] == {"A": "${env:A}", "B": "***"}
