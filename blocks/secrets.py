"""Secrets by reference: `${env:NAME}` and `${secret:NAME}`, resolved only where they are sent."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import MASK, remember

REFERENCE = re.compile(r"\$\{(env|secret):([^}]*)\}")
_SCHEME = re.compile(r"[A-Za-z ]*[ =:]?")


def references(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, name) of each reference in `text`; kind is `env` or `secret`."""
    for match in REFERENCE.finditer(text):
        yield match.group(1), match.group(2).strip()


def is_reference(text: str) -> bool:
    """Whether `text` only refers to secrets, after a scheme such as `Bearer ` at most."""
    rest, count = REFERENCE.subn("", text)
    return count > 0 and _SCHEME.fullmatch(rest) is not None


def resolve(text: str) -> str:
    """Return `text` with every reference replaced by its value.

    Values are remembered by `astrio.blocks.redaction`, so that no output shows them. A value is
    never searched for references itself.

    Raises:
        ConfigurationError: a variable is not set, or is empty; or the text is a masked secret.
    """
    if text == MASK or f":{MASK}@" in text:
        raise ConfigurationError(
            "A secret that was written out in the file is masked wherever the file is stored.",
            advice="Keep it in an environment variable: ${env:NAME}.",
        )
    return REFERENCE.sub(lambda match: _lookups[match.group(1)](match.group(2).strip()), text)


def _from_environment(name: str) -> str:
    # A line break at the end comes from `$(cat file)` or a mounted file and belongs to no secret.
    value = os.environ.get(name, "").rstrip("\r\n") if name else ""
    if not value:
        raise ConfigurationError(
            f"The environment variable {name} is not set, or is empty.",
            advice=f"Export {name} in the environment first.",
        )
    remember(value)
    return value


def _from_secret_block(name: str) -> str:
    from astrio.blocks.store import reader

    return reader.secret(name)


_lookups: dict[str, Callable[[str], str]] = {
    "env": _from_environment,
    "secret": _from_secret_block,
}
