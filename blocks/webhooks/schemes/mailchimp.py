"""Mailchimp's audience webhooks, which are not signed: the secret stands in the URL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pydantic import Field

from astrio.blocks.webhooks.macs import text_keys
from astrio.blocks.webhooks.reading import Refusal, any_equal
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Reply, Scheme, Verdict

_SECRET = re.compile(r"[A-Za-z0-9._~-]{16,256}")


class Mailchimp(Scheme):
    """`scheme: mailchimp`: the URL that Mailchimp is given ends in `?secret=…`.

    With `place: path` it ends in `/…` instead. Also for any other vendor that signs nothing. The
    GET that checks the URL while it is entered is answered.
    """

    methods: ClassVar[tuple[str, ...]] = ("POST", "GET")
    key_form: ClassVar[str] = "16 or more letters, digits, dots, dashes or underscores of your own"

    type: Literal["mailchimp"] = "mailchimp"
    place: Literal["query", "path"] = Field(
        default="query", description="Where in the URL the secret is."
    )
    parameter: str = Field(
        default="secret",
        pattern="^[A-Za-z0-9_-]{1,64}$",
        description="Name of the query parameter.",
    )

    @property
    def signed(self) -> bool:
        """The body is not proved."""
        return False

    @property
    def secret_in_path(self) -> bool:
        """Whether requests come to the configured path, a slash and the secret."""
        return self.place == "path"

    def check_secret(self, secret: str) -> None:
        """Refuse what could be guessed, or cannot stand in a URL as it is."""
        super().check_secret(secret)
        if not _SECRET.fullmatch(secret):
            raise ValueError("16 to 256 letters, digits, dots, dashes and underscores are needed")

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:  # noqa: ARG002 (no clock)
        """Judge by the URL."""
        parts = urlsplit(received.url)
        given = [parts.path.rpartition("/")[2]]
        if self.place == "query":
            query = parse_qsl(parts.query, keep_blank_values=True)
            given = [value for name, value in query if name == self.parameter]
        if len(given) != 1:
            raise Refusal("duplicate_header" if given else "missing")
        if not any_equal(text_keys(secrets), [given[0].encode("utf-8", "replace")]):
            raise Refusal("signature")
        return Verdict(True, reply=Reply(200) if received.method == "GET" else None)

    def prepared(self, outgoing: Outgoing, secrets: Sequence[str]) -> Outgoing:
        """Put the newest secret into the URL."""
        secret = quote(next(iter(secrets), ""), safe="")
        parts = urlsplit(outgoing.url)
        if self.place == "path":
            parts = parts._replace(path=f"{parts.path.rstrip('/')}/{secret}")
        else:
            told = f"{self.parameter}={secret}"
            parts = parts._replace(query=f"{parts.query}&{told}" if parts.query else told)
        return replace(outgoing, url=urlunsplit(parts))

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:  # noqa: ARG002 (one shape for all)
        """Add no header: the secret is in the URL."""
        if not secrets or not secrets[0]:
            raise ValueError("there is no secret to send")
        return []
