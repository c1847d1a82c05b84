from __future__ import annotations

from base64 import b64encode
from typing import ClassVar

import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract, signed

from astrio.blocks.auth.basic import BasicAuth
from astrio.blocks.errors import ConfigurationError


def encoded(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


class TestBasic(AuthContract):
    settings: ClassVar = {"type": "basic", "username": "ada", "password": REFERENCE}
    sent_headers: ClassVar = {"Authorization": encoded(f"ada:{SECRET}")}

    def test_the_user_name_is_no_secret_beside_a_password(self) -> None:
        assert BasicAuth(username="ada", password="hunter22").model_dump()["username"] == "ada"

    def test_a_colon_in_the_user_name_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="colon"):
            BasicAuth(username="a:b", password="hunter22").to_httpx_auth()

    def test_a_password_may_hold_any_character(self) -> None:
        request = signed(BasicAuth(username="ada", password="pä:ss wörd"))
        assert request.headers["Authorization"] == encoded("ada:pä:ss wörd")


class TestKeyAsUserName(AuthContract):
    settings: ClassVar = {"type": "basic", "username": REFERENCE}
    sent_headers: ClassVar = {"Authorization": encoded(f"{SECRET}:")}
