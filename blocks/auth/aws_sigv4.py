"""AWS Signature Version 4, computed anew for each attempt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth, sendable
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    import httpx


class AwsSigV4Auth(Auth):
    """`{type: aws_sigv4, access_key_id: …, secret_access_key: "${env:S}", region: …, service: s3}`.

    Needs the extra `astrio[aws]`.
    """

    title: ClassVar[str] = "AWS signature"
    summary: ClassVar[str] = "Each request is signed for AWS (Signature Version 4)."
    secret_fields: ClassVar[tuple[str, ...]] = ("secret_access_key", "session_token")

    type: Literal["aws_sigv4"] = "aws_sigv4"
    access_key_id: str = Field(min_length=1, description="Names the key, such as AKIA….")
    secret_access_key: str = Field(min_length=1, description="The secret of the key.")
    session_token: str = Field(default="", description="Of temporary credentials.")
    region: str = Field(min_length=1, description="Such as eu-central-1.")
    service: str = Field(min_length=1, description="Such as s3, execute-api or es.")

    def to_httpx_auth(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> httpx.Auth:
        """Sign each attempt anew.

        Args:
            now: tells the time, UTC.

        Raises:
            ConfigurationError: a variable is not set, or botocore is not installed.
        """
        from astrio.blocks.aws_signing import SigV4, credentials

        token = sendable(self.session_token, "session token") if self.session_token else ""
        secret = sendable(self.secret_access_key, "secret access key")
        keys = credentials(resolve(self.access_key_id), secret, token)
        return SigV4(keys, resolve(self.service), resolve(self.region), now)
