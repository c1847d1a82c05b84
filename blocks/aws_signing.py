"""AWS Signature Version 4 by botocore; imported when sending."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes

import httpx

from astrio.blocks.errors import ConfigurationError

try:
    from botocore import auth as botocore_auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    raise ConfigurationError(
        "Signing requests for AWS needs a package that is not installed.",
        advice="Install it: pip install 'astrio[aws]'.",
    ) from None

_FORM = "%Y%m%dT%H%M%SZ"
# AWS refuses a signature that is five minutes old; by then its own clock is the better one.
_SKEW = timedelta(minutes=4)
_SIGNED = ("content-type", "content-md5", "host", "range")


class SigV4(httpx.Auth):
    """Signs each attempt anew; a refusal by a clock that differs is repeated by that clock, once.

    Args:
        credentials: botocore's.
        service: such as `s3` or `execute-api`.
        region: such as `eu-central-1`.
        now: tells the time, UTC.
    """

    requires_request_body = True

    def __init__(
        self, credentials: Any, service: str, region: str, now: Callable[[], datetime]
    ) -> None:
        kind = botocore_auth.S3SigV4Auth if service == "s3" else botocore_auth.SigV4Auth
        self._signer = kind(credentials, service, region)
        self._now = now
        self._skew = timedelta(0)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        request.url = canonical_url(request.url)
        self._sign(request)
        response = yield request
        theirs = _date(response) if response.status_code in (400, 403) else None
        if theirs and abs(theirs - self._now() - self._skew) > _SKEW:
            self._skew = theirs - self._now()
            self._sign(request)
            yield request

    def _sign(self, request: httpx.Request) -> None:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in _SIGNED or (name.startswith("x-amz-") and name != "x-amz-date")
        }
        signed: Any = AWSRequest(
            request.method, str(request.url), headers=headers, data=request.content
        )
        # What botocore's add_auth does, by our own clock.
        signed.context["timestamp"] = (self._now() + self._skew).strftime(_FORM)
        signer: Any = self._signer
        signer._modify_request_before_signing(signed)
        text = signer.string_to_sign(signed, signer.canonical_request(signed))
        signer._inject_signature_to_request(signed, signer.signature(text, signed))
        request.headers.update(dict(signed.headers.items()))


def credentials(access_key_id: str, secret_access_key: str, session_token: str) -> Any:
    """Return botocore's credentials."""
    return Credentials(access_key_id, secret_access_key, session_token or None)


def canonical_url(url: httpx.URL) -> httpx.URL:
    """Return the URL as AWS encodes it (RFC 3986): all but unreserved characters, each segment."""
    path = "/".join(
        quote(unquote_to_bytes(segment), safe="")
        for segment in url.raw_path.partition(b"?")[0].decode().split("/")
    )
    pairs = parse_qsl(url.query.decode(), keep_blank_values=True)
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    return url.copy_with(raw_path=f"{path}?{query}".rstrip("?").encode())


def _date(response: httpx.Response) -> datetime | None:
    try:
        moment = parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
