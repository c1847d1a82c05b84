from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest
from tests.contracts.auth import REFERENCE, SECRET, AuthContract
from tests.support.reading import client, send
from tests.support.server import answer, replies, serve

from astrio.blocks.auth.base import Auth
from astrio.blocks.auth.hmac import HmacAuth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.http.request import ApiRequest

NOW = datetime(2024, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)


def signed(
    auth: Auth, method: str = "GET", url: str = "https://api.example.com/a", **more: Any
) -> Any:
    assert isinstance(auth, HmacAuth)
    signer = auth.to_httpx_auth(now=lambda: NOW, nonce=lambda: "n-1")
    return next(signer.auth_flow(httpx.Request(method, url, **more)))


class TestHmac(AuthContract):
    settings: ClassVar = {"type": "hmac", "key_id": "k1", "secret": REFERENCE}

    def signed(self, auth: Auth) -> httpx.Request:
        request: httpx.Request = signed(auth)
        return request

    def test_the_default_signs_method_path_query_time_nonce_and_body(self, canary: None) -> None:
        url = "https://api.example.com/a%2Fb?q=1%202"
        request = signed(self.by_reference(), "POST", url, content=b"{}")
        body = hashlib.sha256(b"{}").hexdigest()
        text = f"POST\n/a%2Fb\nq=1%202\n1714557600\nn-1\n{body}"
        expected = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
        assert request.headers["X-Signature"] == expected
        assert request.headers["X-Key"] == "k1"
        assert request.headers["X-Timestamp"] == "1714557600"
        assert request.headers["X-Nonce"] == "n-1"
        assert expected not in redact(f"signed with {expected}")


def test_duo_s_published_example() -> None:
    """The example of Duo's Auth API, with its key, date and parameters."""
    auth = HmacAuth(
        key_id="DIWJ8X6AEYOR5OMC6TQ1",
        secret="Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
        algorithm="sha1",
        timestamp="http",
        canonical="{{header.Date}}\n{{method}}\n{{host}}\n{{path}}\n{{sorted_query}}",
        headers={"Authorization": "Basic {{basic}}"},
    )
    request = signed(
        auth,
        "POST",
        "https://api-XXXXXXXX.duosecurity.com/accounts/v1/account/list"
        "?username=root&realname=First%20Last",
        headers={"Date": "Tue, 21 Aug 2012 17:29:18 -0000"},
    )
    user, signature = (
        base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        .decode()
        .split(":")
    )
    text = (
        "Tue, 21 Aug 2012 17:29:18 -0000\nPOST\napi-xxxxxxxx.duosecurity.com\n"
        "/accounts/v1/account/list\nrealname=First%20Last&username=root"
    )
    key = b"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"
    assert user == "DIWJ8X6AEYOR5OMC6TQ1"
    assert signature == hmac.new(key, text.encode(), "sha1").hexdigest()


def test_a_scheme_with_a_base64_secret_over_time_method_target_and_body() -> None:
    key = bytes(range(64))
    auth = HmacAuth(
        secret=base64.b64encode(key).decode(),
        secret_encoding="base64",
        canonical="{{timestamp}}{{method}}{{target}}{{body}}",
        encoding="base64",
        headers={"CB-ACCESS-SIGN": "{{signature}}", "CB-ACCESS-TIMESTAMP": "{{timestamp}}"},
    )
    body = b'{"size":"1.0"}\xff'
    request = signed(auth, "POST", "https://api.example.com/orders?a=1", content=body)
    text = b"1714557600POST/orders?a=1" + body
    expected = base64.b64encode(hmac.new(key, text, "sha256").digest()).decode()
    assert request.headers["CB-ACCESS-SIGN"] == expected


def test_a_scheme_that_signs_the_query_with_its_time_and_adds_the_signature() -> None:
    auth = HmacAuth(
        key_id="k1",
        secret="NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
        canonical="{{query}}{{body}}",
        timestamp="epoch_ms",
        headers={"X-MBX-APIKEY": "{{key_id}}"},
        query={"timestamp": "{{timestamp}}", "signature": "{{signature}}"},
    )
    request = signed(auth, url="https://api.example.com/o?symbol=LTCBTC&signature=old&timestamp=1")
    text = b"symbol=LTCBTC&timestamp=1714557600250"
    expected = hmac.new(auth.secret.encode(), text, "sha256").hexdigest()
    assert request.url.query == text + b"&signature=" + expected.encode()
    assert auth.query_names() == ("timestamp", "signature")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch", "1714557600"),
        ("epoch_ms", "1714557600250"),
        ("iso", "2024-05-01T10:00:00Z"),
        ("iso_ms", "2024-05-01T10:00:00.250Z"),
        ("http", "Wed, 01 May 2024 10:00:00 GMT"),
    ],
)
def test_the_time_is_written_as_asked(form: Any, text: str) -> None:
    auth = HmacAuth(secret="s3cret", timestamp=form, headers={"X-T": "{{ timestamp }}"})
    assert signed(auth).headers["X-T"] == text


@pytest.mark.parametrize("field", ["canonical", "headers", "query"])
def test_an_unknown_placeholder_is_an_error_that_lists_the_known(field: str) -> None:
    value = "{{metod}}" if field == "canonical" else {"a": "{{metod}}"}
    with pytest.raises(ValueError, match=r"\{\{metod\}\} is unknown; there are .*method"):
        HmacAuth.model_validate({"secret": "s3cret", field: value})


def test_the_signature_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="unknown"):
        HmacAuth(secret="s3cret", canonical="{{signature}}")


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_secret_in_another_encoding_is_refused(encoding: Any) -> None:
    auth = HmacAuth(secret="canary-77 not it", secret_encoding=encoding)
    with pytest.raises(ConfigurationError, match="not written in") as caught:
        auth.to_httpx_auth()
    assert "canary-77" not in str(caught.value)


def test_a_hex_secret_signs_with_its_bytes() -> None:
    auth = HmacAuth(secret="00ff00ff", secret_encoding="hex", canonical="{{method_lower}}")
    expected = hmac.new(bytes.fromhex("00ff00ff"), b"get", "sha256").hexdigest()
    assert signed(auth).headers["X-Signature"] == expected


def test_a_key_id_that_no_header_carries_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="key_id"):
        HmacAuth(secret="s3cret", key_id="a\nb").to_httpx_auth()


def test_the_digest_of_the_body_may_be_base64() -> None:
    auth = HmacAuth(secret="s3cret", headers={"Digest": "SHA-256={{body_sha256_base64}}"})
    expected = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    assert signed(auth, "POST", content=b"x").headers["Digest"] == f"SHA-256={expected}"


async def test_every_attempt_is_signed_anew() -> None:
    handler = replies(answer({}, 503), answer({}, 503), {})
    with serve(handler) as server:
        await send(server.url, auth={"type": "hmac", "secret": "s3cret"})
    assert len({seen.headers["X-Nonce"] for seen in server.requests}) == 3


async def test_the_server_sees_what_was_signed() -> None:
    auth = {
        "type": "hmac",
        "secret": SECRET,
        "canonical": "{{method}} {{host}} {{target}}\n{{header.Content-Type}}\n{{body}}",
        "headers": {"Authorization": "HMAC {{signature}}"},
    }
    with serve(lambda _: {}) as server:
        async with client(server.url, auth=auth) as opened:
            request = ApiRequest("POST", "/a~b/(c)", params={"q": "é /+~", "l": "x"}, body={"a": 1})
            await opened.send(request)
    seen = server.requests[0]
    host = server.url.removeprefix("http://")
    text = f"POST {host} {seen.target}\napplication/json\n".encode() + seen.body
    expected = hmac.new(SECRET.encode(), text, "sha256").hexdigest()
    assert seen.headers["Authorization"] == f"HMAC {expected}"
