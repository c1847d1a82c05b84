"""The TLS context of a connection: authorities and client certificate, from files or variables."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import httpx

from astrio.blocks.api import RestApi
from astrio.blocks.auth.mutual_tls import MutualTlsAuth
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact, remember
from astrio.blocks.secrets import resolve
from astrio.blocks.tls import ClientCertificate

_BEGIN = "-----BEGIN "


def tls_context(api: RestApi) -> ssl.SSLContext:
    """Return the context of a connection's TLS, shared where nothing is configured.

    Raises:
        ConfigurationError: a variable is not set, or a file cannot be used.
    """
    auth = api.auth
    own = api.tls.client_certificate
    if isinstance(auth, MutualTlsAuth):
        own = auth.client_certificate
    if not own and not api.tls.ca and not api.http2:
        return _usual()
    context = _trusting(resolve(api.tls.ca)) if api.tls.ca else httpx.create_ssl_context()
    if own:
        _show(context, own)
    return context


@cache
def _usual() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _trusting(ca: str) -> ssl.SSLContext:
    try:
        if ca.lstrip().startswith(_BEGIN):
            return ssl.create_default_context(cadata=ca)
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise _unusable("tls.ca", ca, error) from None


def _show(context: ssl.SSLContext, own: ClientCertificate) -> None:
    password = resolve(own.password) if own.password else ""
    remember(password)
    certificate, key = resolve(own.certificate), resolve(own.key)
    with ExitStack() as files:
        path = files.enter_context(_file(certificate))
        key_path = files.enter_context(_file(key)) if key else None
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(path, key_path, lambda: password)
        except (OSError, ValueError) as error:
            raise _unusable("client certificate or its key", certificate, error) from None


@contextmanager
def _file(text: str) -> Iterator[str]:
    """Yield the path of a PEM file; a text is written to one that only we can read, and removed."""
    if not text.lstrip().startswith(_BEGIN):
        yield text
        return
    remember(text)
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        yield path
    finally:
        os.unlink(path)


def _unusable(what: str, text: str, error: Exception) -> ConfigurationError:
    where = "" if _BEGIN in text else f" ({redact(text)})"
    if isinstance(error, ssl.SSLError):
        why = error.reason or "it is no PEM"
    else:
        why = getattr(error, "strerror", None) or "it cannot be read"
    return ConfigurationError(
        f"The {what}{where} cannot be used: {redact(str(why))}.",
        advice="Give PEM files that this process may read; certificate, key and password must "
        "belong together.",
    )
