"""The environment variables and saved secrets that a file needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.secrets import references
from astrio.blocks.store import reader
from astrio.flows.integration import Integration
from astrio.flows.trigger import TriggerFile


def missing_variables(file: Integration | TriggerFile) -> list[str]:
    """Return the names of environment variables that a file needs and that are not set."""
    return [name for name in _named(file, "env") if not os.environ.get(name)]


def require_variables(integration: Integration) -> None:
    """Refuse to go on while a variable is missing.

    Raises:
        ConfigurationError: it names all of them; nothing was sent.
    """
    if missing := missing_variables(integration):
        several = len(missing) > 1
        raise ConfigurationError(
            f"{integration.name} needs the environment variable{'s' * several} "
            f"{', '.join(missing)}, which {'are' if several else 'is'} not set or empty.",
            advice=f"Set {'them' if several else 'it'} in the environment first.",
        )


def read_secrets(integration: Integration) -> None:
    """Read every `${secret:NAME}` of the integration, so that nothing waits for one later.

    Raises:
        AstrioError: one is missing or cannot be read; nothing was sent to the API.
    """
    for name in _named(integration, "secret"):
        reader.secret(name)


def _named(file: Integration | TriggerFile, wanted: str) -> list[str]:
    texts = _texts(file.model_dump(mode="json"))
    return sorted({name for text in texts for kind, name in references(text) if kind == wanted})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
