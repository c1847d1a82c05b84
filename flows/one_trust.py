"""One TLS context for all of Prefect's clients in this process.

Prefect makes half a dozen clients in a run, and each reads the file of trusted authorities anew,
for 20 ms of CPU, whether or not its server speaks TLS.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

_MODULES = ("prefect.client.orchestration", "prefect._internal.version_checking")


class _Ssl(ModuleType):
    """Python's `ssl`, but that a context which trusts one file, and is asked nothing else, is one.

    Those that Prefect goes on to change, as it does to verify nothing, are made without a file.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(ssl, name)

    @staticmethod
    def create_default_context(*args: Any, **settings: Any) -> ssl.SSLContext:
        """Return the context for a file as it stands now; any other as `ssl` makes it."""
        file = settings.get("cafile")
        if args or len(settings) != 1 or not isinstance(file, str) or not os.path.isfile(file):
            return ssl.create_default_context(*args, **settings)
        return _trusting(file, os.stat(file).st_mtime_ns)


@lru_cache(maxsize=2)
def _trusting(file: str, _changed: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file)


def share_trust() -> None:
    """Let Prefect's clients share a context from now on; should their code change, they do not."""
    for name in _MODULES:
        with suppress(ImportError):
            module = import_module(name)
            if getattr(module, "ssl", None) is ssl:
                setattr(module, "ssl", _Ssl("ssl"))  # noqa: B010 (not its to export)
