"""Encrypting what is kept; the key lies outside the database."""

from __future__ import annotations

import hashlib
import hmac
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
_NAME_LENGTH: Final = 8


class Keys:
    """The keys in effect: the first encrypts, each decrypts, so that keys can be rotated.

    Attributes:
        name: tells the first key from others, and nothing about it.
    """

    def __init__(self, keys: list[str]) -> None:
        """Take the keys, newest first; raises ValueError if one of them is none."""
        self._cipher = MultiFernet([Fernet(key) for key in keys])
        self._oldest = keys[-1].encode()
        self.name = hashlib.sha256(keys[0].encode()).hexdigest()[:_NAME_LENGTH]

    def seal(self, text: str) -> str:
        """Return the text, encrypted (Fernet: AES-128-CBC with HMAC-SHA256)."""
        return self._cipher.encrypt(text.encode()).decode("ascii")

    def unseal(self, sealed: str) -> str | None:
        """Return what was sealed, None if it was sealed with another key, or changed since."""
        try:
            return self._cipher.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def digest(self, purpose: str, content: str) -> str:
        """Return a hash of the content from which nobody without the key can tell a guess right.

        It is made with the oldest key, so that it stays the same until that one is given up.
        """
        message = f"{purpose}\0{content}".encode("utf-8", "surrogatepass")
        return hmac.new(self._oldest, message, hashlib.sha256).hexdigest()


def keys_in_effect() -> Keys:
    """Return the keys of ASTRIO_SECRET_KEY, or that of the key file, made if there is none.

    Raises:
        ConfigurationError: the key cannot be used, or not be kept.
    """
    try:
        return _made(_key_text())
    except OSError as error:
        raise ConfigurationError(
            f"The file {_FILE} of the key cannot be read or made in ASTRIO_HOME: {error.strerror}.",
            advice=f"Set {VARIABLE}, or ASTRIO_HOME to a folder that may be written.",
        ) from None


def seal(text: str) -> str:
    """Return the text, encrypted with the keys in effect.

    Raises:
        ConfigurationError: the key cannot be used.
    """
    return keys_in_effect().seal(text)


def unseal(sealed: str) -> str:
    """Return what was sealed.

    Raises:
        ConfigurationError: it was sealed with another key.
    """
    text = keys_in_effect().unseal(sealed)
    if text is None:
        raise ConfigurationError(
            "The ledger's tokens were encrypted with another key.",
            advice=f"Set {VARIABLE} to the key that they were encrypted with, the same on every "
            "machine; or authorise the connections anew.",
        )
    return text


def sealing_keys() -> list[str]:
    """Return the keys, the one that encrypts first; made if there are none.

    Raises:
        ConfigurationError: a key cannot be used.
    """
    keys_in_effect()
    return _keys_of(_key_text())


def _key_text() -> str:
    return os.environ.get(VARIABLE, "").strip() or _key_of(make_astrio_home() / _FILE)


def _keys_of(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@cache
def _made(text: str) -> Keys:
    keys = _keys_of(text)
    for key in keys:
        remember(key)
    try:
        return Keys(keys)
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
