"""No mapping: records pass through, their keys are the columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.columns import is_reserved, key_of, key_places
from astrio.tasks.mapping.access import record_of


class PassThrough:
    """The columns of a batch are the keys of its records, in the order they are first seen."""

    columns: None = None

    def __init__(self, key: Sequence[str] = ()) -> None:
        """Take the names of the columns that identify a record among the rejects."""
        self._key = tuple(key)

    def transform(self, page: Page) -> Batch:
        """Take the records as they are; what is no object becomes a reject."""
        rejects = [reject for record in page.records if (reject := self._reject(record))]
        sources = page.records
        if rejects:
            sources = [record for record in sources if not self._reject(record)]
        columns = tuple(dict.fromkeys(chain.from_iterable(sources)))
        rows = [tuple(map(record.get, columns)) for record in sources]
        return Batch(page, columns, rows, sources, rejects)

    def explain(self, record: Any) -> list[tuple[str, Any, str | None]]:
        """Return every key with its value."""
        reject = self._reject(record)
        values = record if isinstance(record, dict) else {"$": record}
        problem = reject.problems[0] if reject else None
        return [
            (key, value, problem.reason if problem and problem.field in (None, key) else None)
            for key, value in values.items()
        ]

    def _reject(self, record: Any) -> Reject | None:
        if record.__class__ is dict and not any(key.startswith("_") for key in record):
            return None
        try:
            reserved = [key for key in record_of(record) if is_reserved(key)]
        except RecordRejectedError as error:
            return Reject(record, [Problem(None, "map", error.message)])
        problems = [
            Problem(key, "map", "is a name that astrio keeps for itself") for key in reserved
        ]
        if not problems:
            return None
        columns = tuple(record)
        key = key_of(tuple(record.values()), key_places(columns, self._key))
        return Reject(record, problems, key)
