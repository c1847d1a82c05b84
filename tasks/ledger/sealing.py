"""Encrypting what the ledger keeps; the key lies outside the database."""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.tasks.ledger.home import make_astrio_home

VARIABLE: Final = "ASTRIO_SECRET_KEY"
_FILE: Final = "secret.key"


def seal(text: str) -> str:
    """Return the text, encrypted (Fernet: AES-128-CBC with HMAC-SHA256).

    Raises:
        ConfigurationError: the key cannot be used.
    """
    return _cipher().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Return what was sealed.

    Raises:
        ConfigurationError: it was sealed with another key.
    """
    try:
        return _cipher().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            "The ledger's tokens were encrypted with another key.",
            advice=f"Set {VARIABLE} to the key that they were encrypted with, the same on every "
            "machine; or authorise the connections anew.",
        ) from None


def _cipher() -> MultiFernet:
    """Return the cipher: the first key encrypts, each decrypts, so that keys can be rotated."""
    return _made(_key_text())


def sealing_keys() -> list[str]:
    """Return the keys, the one that encrypts first; made if there are none.

    Raises:
        ConfigurationError: a key cannot be used.
    """
    text = _key_text()
    _made(text)
    return _keys_of(text)


def _key_text() -> str:
    return os.environ.get(VARIABLE, "").strip() or _key_of(make_astrio_home() / _FILE)


def _keys_of(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@cache
def _made(text: str) -> MultiFernet:
    keys = _keys_of(text)
    for key in keys:
        remember(key)
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ConfigurationError(
            f"{VARIABLE} holds no usable key.",
            advice="Make one: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'; several are separated by commas.",
        ) from None


def _key_of(file: Path) -> str:
    """Return the key of the file, made for its owner alone if there is none."""
    try:
        return file.read_text("ascii").strip()
    except FileNotFoundError:
        write_once(file, Fernet.generate_key().decode())
        return file.read_text("ascii").strip()


def write_once(file: Path, key: str) -> None:
    """Create the file for its owner alone, whole or not at all; one that is there stays."""
    draft = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f"{key}\n")
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another process was quicker, and its key counts
    finally:
        draft.unlink()
