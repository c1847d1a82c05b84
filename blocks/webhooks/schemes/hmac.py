"""Any vendor's HMAC: algorithm, encoding, headers, and a template of what is signed (RFC 2104)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from astrio.blocks.webhooks.macs import Algorithm, Encoding, macs
from astrio.blocks.webhooks.reading import (
    Refusal,
    any_equal,
    at_most,
    check_fresh,
    only,
    optional_id,
    pairs,
    plain_id,
    required,
)
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, TimedScheme, Verdict
from astrio.blocks.webhooks.schemes.secret import HEADER_NAME

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NAMES = ("body", "timestamp", "id", "method", "url", "path")
_UNTOLD = rf"^$|{HEADER_NAME}"
_UNITS = {"seconds": 1, "milliseconds": 1000}


class Hmac(TimedScheme):
    """`{type: hmac, header: X-Signature, signed_content: "{{timestamp}}.{{body}}", …}`.

    `{{body}}` are the raw bytes; `{{timestamp}}` and `{{id}}` are read from `timestamp_header` and
    `id_header`, `{{method}}`, `{{url}}` and `{{path}}` are those of the request. Where a vendor
    writes `t=1700000000,v1=…` into one header, `signature_key: v1` and `timestamp_key: t` tell it.
    Without `{{timestamp}}` an old request can be sent again: only deduplication holds it back.
    """

    key_form: ClassVar[str] = "a text; with `secret_encoding` base64 or hex"

    type: Literal["hmac"] = "hmac"
    header: str = Field(
        default="X-Signature", pattern=HEADER_NAME, description="Header of the signature."
    )
    algorithm: Algorithm = Field(default="sha256", description="Of the hash.")
    encoding: Encoding = Field(default="hex", description="How the signature is written.")
    prefix: str = Field(default="", description="What stands before it, such as `sha256=`.")
    signed_content: str = Field(default="{{body}}", description="Template of what is signed.")
    secret_encoding: Literal["text", "base64", "hex"] = Field(
        default="text", description="How the secret is written."
    )
    timestamp_header: str = Field(
        default="", pattern=_UNTOLD, description="Header of the timestamp, if it has its own."
    )
    timestamp_unit: Literal["seconds", "milliseconds"] = Field(
        default="seconds", description="What the timestamp counts."
    )
    id_header: str = Field(
        default="", pattern=_UNTOLD, description="Header of the delivery's id, if there is one."
    )
    signature_key: str = Field(
        default="", description="Name of the signature within the header, such as v1."
    )
    timestamp_key: str = Field(
        default="", description="Name of the timestamp within the header, such as t."
    )
    separator: str = Field(
        default=",", min_length=1, max_length=1, description="What parts the header's pairs."
    )

    @field_validator("signed_content")
    @classmethod
    def _known(cls, text: str) -> str:
        found = _PLACEHOLDER.findall(text)
        if unknown := [name for name in found if name not in _NAMES]:
            raise ValueError(f"{{{{{unknown[0]}}}}} is none of {', '.join(_NAMES)}")
        if "body" not in found:
            raise ValueError("the body is not signed: {{body}} is missing")
        if re.search(r"\{\{\s*(id|url|path|method)\s*\}\}\{\{|\}\}\{\{\s*(id|url|path)", text):
            raise ValueError("part the placeholders, or one's end could pass for another's start")
        return text

    @model_validator(mode="after")
    def _told(self) -> Self:
        parts = _PLACEHOLDER.findall(self.signed_content)
        if self.timestamp_header and self.timestamp_key:
            raise ValueError("give timestamp_header or timestamp_key, and not both")
        if bool(self.timestamp_header or self.timestamp_key) != ("timestamp" in parts):
            raise ValueError("{{timestamp}} and timestamp_header (or _key) need one another")
        if "id" in parts and not self.id_header:
            raise ValueError("{{id}} needs id_header")
        if self.timestamp_key and not self.signature_key:
            raise ValueError("timestamp_key needs signature_key")
        return self

    def check_secret(self, secret: str) -> None:
        """Refuse what is not written as `secret_encoding` says."""
        super().check_secret(secret)
        if not self._key(secret):
            raise ValueError(f"the secret is no {self.secret_encoding}")

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge by the headers that are told."""
        signatures, timestamp = self._found(received)
        if timestamp is not None:
            check_fresh(timestamp, now, self.tolerance, _UNITS[self.timestamp_unit])
        name = self.id_header.lower().encode()
        identity = optional_id(received.headers, name) if name else None
        if identity and self._ends_id() in identity:
            raise Refusal("malformed")
        parts = {
            "body": received.body,
            "timestamp": timestamp or b"",
            "id": (identity or "").encode(),
            "method": received.method.encode(),
            "url": received.url.encode(),
            "path": _path(received.url),
        }
        if not any_equal(self._expected(parts, secrets), at_most(signatures)):
            raise Refusal("signature")
        return Verdict(True, delivery_id=identity)

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Sign with every secret where the header holds pairs, else with the newest."""
        timestamp = str(outgoing.timestamp * _UNITS[self.timestamp_unit])
        parts = {
            "body": outgoing.body,
            "timestamp": timestamp.encode(),
            "id": plain_id(outgoing.id.encode()).encode(),
            "method": outgoing.method.encode(),
            "url": outgoing.url.encode(),
            "path": _path(outgoing.url),
        }
        signatures = [each.decode() for each in self._expected(parts, secrets)]
        if not signatures:
            raise ValueError("there is no secret to sign with")
        headers = [(self.id_header, outgoing.id)] if self.id_header else []
        if self.timestamp_header:
            headers.append((self.timestamp_header, timestamp))
        return [*headers, (self.header, self._written(signatures, timestamp))]

    def _ends_id(self) -> str:
        """Return the character that ends the id in what is signed: no id may hold it."""
        texts = _PLACEHOLDER.split(self.signed_content)
        after = texts[texts.index("id", 1) + 1] if "id" in texts[1::2] else ""
        return after[:1] or "\n"

    def _written(self, signatures: Sequence[str], timestamp: str) -> str:
        if not self.signature_key:
            return signatures[0]
        told = [f"{self.timestamp_key}={timestamp}"] if self.timestamp_key else []
        return self.separator.join(
            [*told, *(f"{self.signature_key}={signature}" for signature in signatures)]
        )

    def _found(self, received: Received) -> tuple[list[bytes], bytes | None]:
        """Return the signatures and the timestamp of a request."""
        text = required(received.headers, self.header.lower().encode())
        timestamp = None
        if self.timestamp_header:
            timestamp = required(received.headers, self.timestamp_header.lower().encode())
        if not self.signature_key:
            return [text], timestamp
        found = pairs(text, self.separator.encode())
        if self.timestamp_key:
            timestamp = only(found.get(self.timestamp_key.encode(), []))
        return found.get(self.signature_key.encode(), []), timestamp

    def _expected(self, parts: dict[str, bytes], secrets: Sequence[str]) -> list[bytes]:
        content = _filled(self.signed_content, parts)
        keys = [key for secret in secrets if (key := self._key(secret))]
        found = macs(keys, content, self.algorithm, self.encoding)
        return [self.prefix.encode() + each for each in found]

    def _key(self, secret: str) -> bytes | None:
        try:
            match self.secret_encoding:
                case "text":
                    return secret.encode()
                case "base64":
                    return base64.b64decode(secret, validate=True)
                case _:
                    return bytes.fromhex(secret)
        except (binascii.Error, ValueError):
            return None


def _filled(template: str, parts: dict[str, bytes]) -> bytes:
    texts = _PLACEHOLDER.split(template)
    return b"".join(parts[text] if place % 2 else text.encode() for place, text in enumerate(texts))


def _path(url: str) -> bytes:
    parts = urlsplit(url)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}".encode()
