"""A client certificate, shown when the connection is made (RFC 8446, 4.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from astrio.blocks.auth.base import Auth
from astrio.blocks.tls import ClientCertificate, Pem

if TYPE_CHECKING:
    import httpx


class MutualTlsAuth(Auth):
    """`{type: mutual_tls, certificate: client.pem, key: client.key, password: "${env:PASSWORD}"}`.

    For a client certificate beside another authentication, use the connection's `tls`.
    """

    title: ClassVar[str] = "mutual TLS"
    summary: ClassVar[str] = "A client certificate, shown when the connection is made."
    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    type: Literal["mutual_tls"] = "mutual_tls"
    certificate: Pem = Field(
        min_length=1, description="PEM file (or ${env:NAME}) of the certificate and its chain."
    )
    key: Pem = Field(
        default="",
        description="PEM file (or ${env:NAME}) of its private key, if it is not in the same file.",
    )
    password: str = Field(default="", description="Of the private key, if it is encrypted.")

    @property
    def client_certificate(self) -> ClientCertificate:
        """What the connection shows of us."""
        return ClientCertificate(self.certificate, self.key, self.password)

    def to_httpx_auth(self) -> httpx.Auth | None:
        """Sign nothing: the connection itself is authenticated."""
        return None
