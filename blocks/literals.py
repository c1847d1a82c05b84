"""Literals where a secret belongs: never shown, never stored; references are kept as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import SerializationInfo

from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import REFERENCE, is_reference

SHOW_SECRETS = "show_secrets"
SENSITIVE_NAME = re.compile(
    r"authorization|(^|[-_])(token|secret|password|api[-_]?key|apikey|access[-_]?key)$", re.I
)
PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)@")


def remember_named(values: Mapping[str, Any]) -> None:
    """Let no message show a literal that stands under a sensitive name."""
    for name, value in values.items():
        if SENSITIVE_NAME.search(name) and isinstance(value, str) and not is_reference(value):
            remember(value)


def mask_named(values: Mapping[str, Any], info: SerializationInfo) -> dict[str, Any]:
    """Return headers or parameters as they may be stored: literals of sensitive names masked."""
    if (info.context or {}).get(SHOW_SECRETS):
        return dict(values)
    return {
        name: MASK if SENSITIVE_NAME.search(name) and not _may_show(value) else value
        for name, value in values.items()
    }


def _may_show(value: Any) -> bool:
    return value is None or value == "" or is_reference(str(value))


def remember_password(url: str) -> None:
    """Let no message show the password of a URL."""
    if (found := PASSWORD.search(url)) and not REFERENCE.search(found[2]):
        remember(found[2])


def mask_password(url: str, info: SerializationInfo) -> str:
    """Return a URL as it may be stored: with a literal password masked."""
    found = PASSWORD.search(url)
    shown = (info.context or {}).get(SHOW_SECRETS) or (found and REFERENCE.search(found[2]))
    return url if shown else PASSWORD.sub(rf"\1:{MASK}@", url)
