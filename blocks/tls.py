"""TLS of a connection: whom we trust, and the certificate that we show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializationInfo, field_serializer

from astrio.blocks.literals import SHOW_SECRETS
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import is_reference
from astrio.blocks.settings import Settings


def no_private_key(text: str) -> str:
    """Refuse a private key that is written out; it would be stored in clear.

    Raises:
        ValueError: it is one.
    """
    if "PRIVATE KEY-----" in text:
        remember(text)
        raise ValueError("a private key is not written out; give its file, or ${env:NAME}")
    return text


Pem = Annotated[str, AfterValidator(no_private_key)]
"""The path of a PEM file, or a reference to a path or to the PEM text itself."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What we show of ourselves: certificate, key and the key's password, references unresolved."""

    certificate: str
    key: str
    password: str = field(repr=False)


class Tls(Settings):
    """`{ca: ca.pem, certificate: client.pem, key: client.key, password: "${env:PASSWORD}"}`."""

    ca: Pem = Field(
        default="",
        description="PEM file (or ${env:NAME} of one) of the authorities to trust; no others are.",
    )
    certificate: Pem = Field(
        default="", description="PEM file (or ${env:NAME}) of the client certificate and its chain."
    )
    key: Pem = Field(
        default="",
        description="PEM file (or ${env:NAME}) of its private key, if it is not in the same file.",
    )
    password: str = Field(default="", description="Of the private key, if it is encrypted.")

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal password."""
        if self.password and not is_reference(self.password):
            remember(self.password)

    @property
    def client_certificate(self) -> ClientCertificate | None:
        """What we show of ourselves, if anything."""
        if not self.certificate:
            return None
        return ClientCertificate(self.certificate, self.key, self.password)

    @field_serializer("password")
    def _mask_password(self, password: str, info: SerializationInfo) -> str:
        shown = not password or is_reference(password) or (info.context or {}).get(SHOW_SECRETS)
        return password if shown else MASK

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()
