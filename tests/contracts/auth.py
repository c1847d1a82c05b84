"""What is true of every authentication; each one's test class inherits this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
import pytest

from astrio.blocks.api import RestApi
from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.tokens import Token, TokenAuth

SECRET = "canary-4f9d1c73e8"
REFERENCE = "${env:CANARY}"


class KeptAuthContract:
    """Set `settings` to the auth with `REFERENCE` in each secret field."""

    settings: ClassVar[Mapping[str, Any]]

    @pytest.fixture
    def canary(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CANARY", SECRET)

    def by_reference(self) -> Auth:
        return _auth(self.settings)

    def by_literal(self) -> Auth:
        return _auth(_filled(self.settings, SECRET))

    def test_a_literal_shows_in_no_text_and_no_dump(self) -> None:
        auth = self.by_literal()
        shown = [repr(auth), str(auth), repr(auth.model_dump()), auth.model_dump_json()]
        assert not [text for text in shown if SECRET in text]

    def test_a_literal_is_kept_where_it_must_be_stored(self) -> None:
        stored = self.by_literal().model_dump(context={"show_secrets": True})
        assert _auth(stored) == self.by_literal()

    def test_a_reference_survives_a_dump(self) -> None:
        assert _auth(self.by_reference().model_dump()) == self.by_reference()
        assert REFERENCE in repr(self.by_reference())

    def test_literals_are_told_from_references(self) -> None:
        assert self.by_literal().literal_secrets()
        assert not self.by_reference().literal_secrets()

    def test_a_missing_variable_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CANARY", raising=False)
        with pytest.raises(ConfigurationError, match="CANARY"):
            self.by_reference().to_httpx_auth()

    def test_unknown_keys_are_refused_without_showing_a_secret(self) -> None:
        with pytest.raises(ValueError, match="Extra inputs") as caught:
            _auth({**_filled(self.settings, SECRET), "tokne": SECRET})
        assert SECRET not in str(caught.value)


class AuthContract(KeptAuthContract):
    """What signs requests by itself.

    `sent` is what the request must carry once signed: headers, or query parameters.
    """

    sent_headers: ClassVar[Mapping[str, str]] = {}
    sent_query: ClassVar[Mapping[str, str]] = {}

    def signed(self, auth: Auth) -> httpx.Request:
        """Return a request as the auth signs it."""
        return signed(auth)

    def test_it_signs_with_the_resolved_secret(self, canary: None) -> None:
        request = self.signed(self.by_reference())
        for name, value in self.sent_headers.items():
            assert request.headers[name] == value
        for name, value in self.sent_query.items():
            assert request.url.params.get_list(name) == [value]

    def test_a_literal_is_sent_like_a_reference(self, canary: None) -> None:
        literal, reference = self.signed(self.by_literal()), self.signed(self.by_reference())
        assert (literal.url, literal.headers) == (reference.url, reference.headers)
        assert literal.content == reference.content

    def test_a_masked_secret_is_never_sent(self) -> None:
        masked = _auth(self.by_literal().model_dump())
        with pytest.raises(ConfigurationError, match="masked"):
            masked.to_httpx_auth()

    def test_what_it_sends_is_redacted_from_messages(self, canary: None) -> None:
        request = self.signed(self.by_reference())
        said = redact(f"{request.url} {request.headers}")
        assert SECRET not in said
        assert not [value for value in self.sent_headers.values() if value in said]


class TokenAuthContract(KeptAuthContract):
    """What signs requests with a token that it has from a server, or that it signs itself."""

    def token_auth(self, auth: Auth) -> TokenAuth:
        assert isinstance(auth, TokenAuth)
        return auth

    def test_a_token_is_what_signs_its_requests(self, canary: None) -> None:
        token = Token(access=f"{SECRET}-token", obtained_at=0.0)
        signer = self.token_auth(self.by_reference()).signer(token)
        request = next(signer.auth_flow(httpx.Request("GET", "https://api.example.com/a")))
        assert f"{SECRET}-token" in f"{request.headers.get('authorization')}{request.headers}"
        assert SECRET not in redact(f"{request.headers}")

    def test_a_masked_secret_is_never_used(self) -> None:
        masked = _auth(self.by_literal().model_dump())
        with pytest.raises(ConfigurationError, match="masked"):
            masked.to_httpx_auth()

    def test_another_secret_makes_it_another_credential(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found: set[str] = set()
        for value in ("one", "two", "one"):
            monkeypatch.setenv("CANARY", value)
            found.add(self.token_auth(self.by_reference()).identity())
        assert len(found) == (2 if self.token_auth(self.by_reference()).grows_from else 1)
        assert not [text for text in found if "one" in text or "two" in text]


def signed(auth: Auth, method: str = "GET", **request: Any) -> httpx.Request:
    """Return a request as the auth signs it."""
    signer = auth.to_httpx_auth()
    assert signer is not None
    return next(signer.auth_flow(httpx.Request(method, "https://api.example.com/a", **request)))


def _auth(settings: Mapping[str, Any]) -> Auth:
    return RestApi.model_validate({"base_url": "https://api.example.com", "auth": settings}).auth


def _filled(value: Any, secret: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(item, secret) for name, item in value.items()}
    return value.replace(REFERENCE, secret)
