"""Convoy (getconvoy.io/docs/product-manual/signatures)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from astrio.blocks.webhooks.macs import macs, text_keys
from astrio.blocks.webhooks.reading import (
    Refusal,
    any_equal,
    at_most,
    check_fresh,
    only,
    pairs,
    required,
)
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict
from astrio.blocks.webhooks.schemes.secret import HEADER_NAME


class Convoy(TimedScheme):
    """`scheme: convoy`: `X-Convoy-Signature: t=…,v1=…` over `t,body`; or `style: simple`.

    A simple signature covers the body alone and has no timestamp. The style is not guessed: an
    advanced signature could be sent again as the simple one of another body.
    """

    key_form: ClassVar[str] = "the endpoint's secret"

    type: Literal["convoy"] = "convoy"
    style: Literal["advanced", "simple"] = Field(
        default="advanced", description="As in the project's settings."
    )
    header: str = Field(
        default="X-Convoy-Signature", pattern=HEADER_NAME, description="Header of the signature."
    )
    algorithm: Literal["sha256", "sha512"] = Field(default="sha256", description="Of the hash.")
    encoding: Literal["hex", "base64"] = Field(
        default="hex", description="How the signature is written."
    )

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the header."""
        text = required(received.headers, self.header.lower().encode())
        given, content = [text], received.body
        if self.style == "advanced":
            found = pairs(text)
            timestamp = only(found.get(b"t", []))
            check_fresh(timestamp, now, self.tolerance)
            given = at_most(found.get(b"v1", []))
            content = b"%b,%b" % (timestamp, received.body)
        if not any_equal(self._signatures(content, secrets), given):
            raise Refusal("signature")
        return Verdict(True)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with every secret; in the simple style with the newest."""
        advanced = self.style == "advanced"
        lead = f"{outgoing.timestamp},".encode() if advanced else b""
        found = self._signatures(lead + outgoing.body, secrets)
        if not found:
            raise ValueError("there is no secret to sign with")
        signatures = [f"v1={each.decode()}" for each in found]
        told = ",".join([f"t={outgoing.timestamp}", *signatures])
        return [(self.header, told if advanced else found[0].decode())]

    def _signatures(self, content: bytes, secrets: Sequence[str]) -> list[bytes]:
        return list(macs(text_keys(secrets), content, self.algorithm, self.encoding))
