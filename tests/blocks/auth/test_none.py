from __future__ import annotations

from astrio.blocks.auth.none import NoAuth


def test_no_authentication_signs_nothing() -> None:
    assert NoAuth().to_httpx_auth() is None
    assert NoAuth().literal_secrets() == ()
    assert NoAuth().query_names() == ()
