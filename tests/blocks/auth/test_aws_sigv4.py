from __future__ import annotations

import hashlib
import hmac
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
import pytest
from aiohttp import web
from tests.contracts.auth import REFERENCE, SECRET, AuthContract
from tests.support.reading import NO_RETRY, send
from tests.support.server import answer, serve

from astrio.blocks.auth.aws_sigv4 import AwsSigV4Auth
from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ConfigurationError, CredentialsError
from astrio.tasks.http.request import ApiRequest

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
PUBLISHED = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signed(
    auth: Auth, method: str = "GET", url: str = "https://example.amazonaws.com/", **more: Any
) -> httpx.Request:
    assert isinstance(auth, AwsSigV4Auth)
    flow = auth.to_httpx_auth(now=lambda: NOW).auth_flow(httpx.Request(method, url, **more))
    return next(flow)


class TestSigV4(AuthContract):
    settings: ClassVar = {
        "type": "aws_sigv4",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": REFERENCE,
        "session_token": REFERENCE,
        "region": "us-east-1",
        "service": "service",
    }
    sent_headers: ClassVar = {"X-Amz-Security-Token": SECRET}

    def signed(self, auth: Auth) -> httpx.Request:
        return signed(auth)


def auth(service: str = "service") -> AwsSigV4Auth:
    return AwsSigV4Auth(
        access_key_id="AKIDEXAMPLE",
        secret_access_key=PUBLISHED,
        region="us-east-1",
        service=service,
    )


def expected(canonical: str, service: str, stamp: str) -> str:
    """The signature as AWS describes it, computed without botocore."""
    scope = f"{stamp[:8]}/us-east-1/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{PUBLISHED}".encode()
    for part in (stamp[:8], "us-east-1", service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}"
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def canonical_of(request: httpx.Request, *, twice: bool) -> str:
    """The canonical request of what is sent."""
    path, _, query = request.url.raw_path.decode().partition("?")
    names = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0]
    lines = [f"{name}:{request.headers[name]}" for name in names.split(";")]
    body = hashlib.sha256(request.content).hexdigest()
    pairs = "&".join(sorted(query.split("&"))) if query else ""
    shown = quote(path, safe="/~") if twice else path
    return "\n".join([request.method, shown, pairs, *lines, "", names, body])


def test_the_published_signature_of_a_plain_get() -> None:
    """`get-vanilla` of AWS's own test suite."""
    request = signed(auth())
    assert request.headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


@pytest.mark.parametrize("service", ["s3", "execute-api"])
@pytest.mark.parametrize(
    "target",
    [
        "/b?z=1&a=2&a=1",
        "/b/ä ö.txt",
        "/b/a b+c(1)!'*:@$,;=&.txt?prefix=x y&q=é+~",
        "/b/a%2Fb?list-type=2&continuation-token=a%2B%2F%3D&empty=",
    ],
)
def test_order_space_and_unicode_are_signed_as_sent(service: str, target: str) -> None:
    request = signed(auth(service), "PUT", f"https://h.example.com{target}", content=b"body")
    canonical = canonical_of(request, twice=service != "s3")
    signature = expected(canonical, service, "20150830T123600Z")
    assert request.headers["Authorization"].endswith(f"Signature={signature}")
    assert ("x-amz-content-sha256" in request.headers) is (service == "s3")
    assert not set(request.url.raw_path.decode()) & set(" +()!'*:@$,;")


class Skewed:
    """A service whose clock is ahead, and that refuses what is older than five minutes."""

    ahead = timedelta(hours=1)

    def __init__(self) -> None:
        self.stamps: list[str] = []

    def __call__(self, request: web.Request) -> Any:
        now = datetime.now(UTC) + self.ahead
        stamp = request.headers["X-Amz-Date"]
        self.stamps.append(stamp)
        given = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(now - given) < timedelta(minutes=5):
            return {}
        headers = {"Date": format_datetime(now, usegmt=True)}
        return answer({"Code": "RequestTimeTooSkewed"}, 403, headers)


SETTINGS = {
    "type": "aws_sigv4",
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": PUBLISHED,
    "region": "us-east-1",
    "service": "s3",
}


async def test_a_clock_that_is_wrong_is_set_by_the_service_s() -> None:
    skewed = Skewed()
    with serve(skewed) as server:
        await send(server.url, ApiRequest("POST", "/x", body={}), auth=SETTINGS, retry=NO_RETRY)
    assert len(skewed.stamps) == 2


@pytest.mark.parametrize("date", ["", "nonsense", "Wed, 01 May 2024 10:00:00", None])
async def test_another_refusal_is_told(date: str | None) -> None:
    headers = {} if date is None else {"Date": date}
    with (
        serve(lambda _: answer({"Code": "AccessDenied"}, 403, headers)) as server,
        pytest.raises(CredentialsError) as caught,
    ):
        await send(server.url, auth=SETTINGS)
    assert len(server.requests) == 1
    assert PUBLISHED not in str(caught.value)


def test_a_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "astrio.blocks.aws_signing", raising=False)
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ConfigurationError) as caught:
        auth().to_httpx_auth()
    assert "astrio[aws]" in caught.value.advice
