"""Names of files: `{{…}}` filled in, and what the ending tells. Free of SQLAlchemy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from astrio.tasks.mapping.check import ExpressionProblem, check_template

KNOWN: Final = frozenset({"name", "run_id", "run_date", "run_time", "timestamp"})
"""What placeholders may name."""

_PLACEHOLDER: Final = re.compile(r"\{\{.*?\}\}", re.S)
_OWN: Final = re.compile(r"\{\{(?:(?!\}\}).)*\brun_id\b", re.S)
_IN_FOLDER: Final = "{{run_time}}-{{run_id}}"


def adds(pattern: str) -> bool:
    """Whether the name differs from run to run: by `{{run_id}}`, or because it is a folder's."""
    return pattern.endswith("/") or _OWN.search(pattern) is not None


def ending(pattern: str) -> str:
    """Return the ending that tells the format, in lower case: `csv` of `orders.CSV.gz`."""
    name = _PLACEHOLDER.sub("", pattern).rpartition("/")[2].lower().removesuffix(".gz")
    return name.rpartition(".")[2] if "." in name else ""


def problems(pattern: str) -> Iterator[ExpressionProblem]:
    """Yield what is wrong with the placeholders."""
    yield from check_template(pattern, KNOWN)


def whole_pattern(pattern: str, form: str, *, gzipped: bool) -> str:
    """Return the pattern of a file's name; in a folder, each run's file has a name of its own."""
    if not pattern.endswith("/"):
        return pattern
    return f"{pattern}{_IN_FOLDER}.{form}" + (".gz" if gzipped else "")


def named(pattern: str, integration: str, run_id: str, started: datetime) -> str:
    """Return the name of a run's file.

    Args:
        pattern: with placeholders.
        integration: its name.
        run_id: the run's.
        started: when it began.

    Raises:
        ConfigurationError: a placeholder cannot be filled in.
    """
    from astrio.tasks.mapping.context import MappingContext
    from astrio.tasks.mapping.template import render

    at = started.astimezone(UTC)
    scope = {
        "name": integration,
        "run_id": run_id,
        "run_date": f"{at:%Y-%m-%d}",
        "run_time": f"{at:%Y%m%dT%H%M%SZ}",
        "timestamp": at.isoformat(),
    }
    return str(render(pattern, scope, context=MappingContext(at)))
