from __future__ import annotations

from typing import ClassVar

import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract

from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.errors import ConfigurationError


class TestBearer(AuthContract):
    settings: ClassVar = {"type": "bearer", "token": REFERENCE}
    sent_headers: ClassVar = {"Authorization": f"Bearer {SECRET}"}

    @pytest.mark.parametrize("token", ["two\nlines", "ümlaut", "${ENV:TOKEN}", "${env.TOKEN}"])
    def test_a_token_that_no_header_can_carry_is_refused_unseen(self, token: str) -> None:
        with pytest.raises(ConfigurationError, match="bearer token") as caught:
            BearerAuth(token=token).to_httpx_auth()
        assert token not in str(caught.value)
