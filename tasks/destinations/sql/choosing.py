"""Which dialect a database URL asks for: one module of `dialects` for each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import URL

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.sql import dialects
from astrio.tasks.destinations.sql.dialect import Dialect


def dialect_of(url: URL) -> Dialect:
    """Return the dialect of a database URL; raises ConfigurationError if there is none."""
    backend = url.get_backend_name()
    known = sorted(info.name for info in pkgutil.iter_modules(dialects.__path__))
    if backend not in known:
        raise ConfigurationError(
            f"astrio knows no way to write to {backend} yet.",
            advice=f"Use a database URL of: {', '.join(known)}.",
        )
    found = importlib.import_module(f"{dialects.__name__}.{backend}").dialect
    assert isinstance(found, Dialect)
    return found
