"""Settings of S3: a bucket, a name in it, and how it is reached. Free of botocore."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SerializationInfo, field_serializer, field_validator, model_validator

from astrio.blocks.literals import SHOW_SECRETS
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import is_reference
from astrio.blocks.settings import Settings


class S3Settings(Settings):
    """A bucket, a name in it, and how it is reached.

    Without keys, those of the environment, the shared files, the container or the machine count,
    as with every tool for AWS.
    """

    bucket: str = Field(min_length=1, description="The bucket's name; it has to exist.")
    key: str = Field(
        default="",
        description="The object's name: {{run_id}}, {{run_date}}, {{run_time}} and {{name}} are "
        "filled in.",
    )
    prefix: str = Field(
        default="", description="Instead of `key`: a folder that each run adds an object to."
    )
    region: str = Field(default="", description="Such as eu-central-1; else the usual settings'.")
    endpoint_url: str = Field(
        default="", description="Of a store that is not AWS: https://storage.example.com"
    )
    access_key_id: str = Field(default="", description="Names the key, such as AKIA….")
    secret_access_key: str = Field(default="", description='The key\'s secret: "${env:NAME}".')
    session_token: str = Field(default="", description="Of temporary credentials.")
    path_style: bool | None = Field(
        default=None,
        description="Whether the bucket stands in the URL's path; left out: with endpoint_url.",
    )

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal secret."""
        for secret in (self.secret_access_key, self.session_token):
            if secret and not is_reference(secret):
                remember(secret)

    @field_validator("bucket")
    @classmethod
    def _a_bucket(cls, text: str) -> str:
        if "/" in text or " " in text:
            raise ValueError("a bucket's name holds no slash and no space; use `key` or `prefix`")
        return text

    @field_validator("key", "prefix")
    @classmethod
    def _a_name(cls, text: str) -> str:
        if text.startswith("/"):
            raise ValueError("a name in a bucket does not begin with a slash")
        if "${" in text:
            raise ValueError("names in a bucket are filled in with {{…}} only")
        return text

    @field_validator("endpoint_url")
    @classmethod
    def _an_endpoint(cls, text: str) -> str:
        parts = urlsplit(text)
        if (
            text
            and "${" not in text
            and (parts.scheme not in ("http", "https") or not parts.netloc)
        ):
            raise ValueError("an endpoint begins with https:// (or http://) and a host")
        if "@" in parts.netloc:
            raise ValueError("an endpoint holds no user and password; use `access_key_id`")
        return text

    @model_validator(mode="after")
    def _one_name(self) -> S3Settings:
        if bool(self.key) == bool(self.prefix):
            raise ValueError("give one of `key` (an object) and `prefix` (a folder of objects)")
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("give both of `access_key_id` and `secret_access_key`, or neither")
        if self.session_token and not self.access_key_id:
            raise ValueError("`session_token` goes with `access_key_id`")
        return self

    @field_serializer("secret_access_key", "session_token")
    def _mask(self, secret: str, info: SerializationInfo) -> str:
        shown = not secret or is_reference(secret) or (info.context or {}).get(SHOW_SECRETS)
        return secret if shown else MASK

    def __repr_args__(self) -> Any:
        return self.model_dump().items()
