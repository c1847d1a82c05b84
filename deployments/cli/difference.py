"""What a dry run would change, field by field, or would send, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from astrio.deployments.cli.output import clean
from astrio.tasks.difference import Difference, PlannedRequest

_MOST: Final = 60


def changed_rows(difference: Difference) -> Table:
    """Return a table with a line for each changed field of the first changed rows."""
    table = Table("Row", "Field", "Is", "Would be", box=None, padding=(0, 2), header_style="dim")
    for row in difference.examples:
        key = ", ".join(_shown(value) for value in row.key.values())
        for name, field in row.fields.items():
            before, after = _shown(field.before), _shown(field.after)
            table.add_row(key, clean(name), Text(before, style="red"), Text(after, style="green"))
            key = ""
    return table


def planned_requests(requests: Sequence[PlannedRequest]) -> Table:
    """Return a table with a line for each of the first requests."""
    table = Table("Key", "Request", "Body", box=None, padding=(0, 2), header_style="dim")
    for each in requests:
        key = ", ".join(_shown(value) for value in each.key.values())
        if each.records > 1:
            key = f"{each.records} records"
        line = f"{each.request.method} {each.request.url}"
        table.add_row(Text(key), Text(_shown(line)), Text(_shown(each.request.body or "")))
    return table


def _shown(value: Any) -> str:
    text = "null" if value is None else clean(value)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
