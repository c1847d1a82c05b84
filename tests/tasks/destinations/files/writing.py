"""Integrations that write files, and what these hold."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

from astrio.flows.integration import Integration


def plan(url: str, to: Any, **changes: Any) -> Integration:
    """Return an integration of `tests.flows.api.cursor_api` to a file; `changes` replace keys."""
    push = {"to": to, **changes.pop("push", {})}
    source = {
        "api": {"base_url": url},
        "request": {"path": "/items"},
        "records": "$.items[*]",
        "paginate": {"type": "cursor", "param": "cursor", "next": "$.next"},
        **changes.pop("source", {}),
    }
    return Integration.model_validate({"name": "items", "source": source, "push": push, **changes})


def lines(path: Path) -> list[Any]:
    """Return the objects of a JSON Lines file."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def cells(path: Path) -> list[list[str]]:
    """Return the records of a CSV file, its header first."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def files(folder: Path) -> list[Path]:
    """Return every file below a folder, hidden ones too, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
