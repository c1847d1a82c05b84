"""Quarantined records as a file that others can read: whole or not at all, for its owner alone."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from astrio.blocks.errors import ConfigurationError

Rows = Iterable[Mapping[str, Any]]
COLUMNS: Final = (
    *("id", "integration", "key", "field", "rule", "reason", "run", "first_seen", "last_seen"),
    *("seen", "state", "closed_at", "note", "started", "mapping", "problems", "record", "missing"),
)


def written(rows: Rows, form: str) -> Iterator[str]:
    """Yield the text of an export, in pieces; `form` is one of `FORMATS`."""
    return FORMATS[form]({name: row[name] for name in COLUMNS} for row in rows)


def form_of(path: Path | None) -> str:
    """Return the format that a file's name asks for, JSON Lines if it says nothing."""
    suffix = "" if path is None else path.suffix.removeprefix(".")
    return suffix if suffix in FORMATS else "jsonl"


def write_private(path: Path, pieces: Iterable[str]) -> None:
    """Write a new file of mode 600, whole or not at all.

    Raises:
        ConfigurationError: it exists already, or cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists already and is left as it is.", advice="Choose another name."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _jsonl(rows: Rows) -> Iterator[str]:
    return (f"{_json(row)}\n" for row in rows)


def _array(rows: Rows) -> Iterator[str]:
    before = "[\n"
    for row in rows:
        yield f"{before}{_json(row)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _csv(rows: Rows) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in rows:
        yield _line([_json(row[n]) if n in {"problems", "record"} else row[n] for n in COLUMNS])


def _line(cells: Iterable[Any]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _json(value: Any) -> str:
    # Plain ASCII: half a surrogate pair is kept, too.
    return json.dumps(value, separators=(",", ":"))


FORMATS: Final[dict[str, Callable[[Rows], Iterator[str]]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "json": _array,
}
