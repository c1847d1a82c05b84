"""Which records of a page belong to the run: the errors among them, the cursor, the filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Problem, Reject
from astrio.tasks.cursor_reader import CursorReader

Keep = Callable[[Any], Any]


@dataclass(slots=True)
class Selected:
    """The records that go on, those that cannot, and the highest cursor of the page."""

    records: list[Any]
    rejects: list[Reject] = field(default_factory=list)
    cursor: Any = None


class Selection:
    """Judges the records of one source.

    Attributes:
        past: the last page lay wholly before the lower bound of a feed that is newest first.
    """

    def __init__(self, keep: Keep | None, cursor: CursorReader | None, answers: Answers) -> None:
        """Take the filter, what reads the cursors, and what tells errors from records."""
        self._keep = keep
        self._cursor = cursor
        self._answers = answers
        self.past = False

    def __call__(self, records: list[Any]) -> Selected:
        """Return what becomes of a page's records.

        Raises:
            ApiAnswerError: a cursor cannot be read.
        """
        cursor, wanted = None, records
        if self._cursor is not None:
            seen = self._cursor.read(records)
            cursor, self.past = seen.highest, seen.past
            if seen.wanted is not None:
                wanted = list(compress(records, seen.wanted))
        errors: list[Reject] = []
        if self._answers.rejects:
            wanted, errors = self._answers.sorted_out(wanted)
        kept, rejects = _judged(wanted, self._keep)
        return Selected(kept, errors + rejects, cursor)


def _judged(records: list[Any], keep: Keep | None) -> tuple[list[Any], list[Reject]]:
    """Return the records that the filter lets through, and those that break it."""
    if keep is None:
        return records, []
    kept: list[Any] = []
    rejects: list[Reject] = []
    for record in records:
        try:
            if keep(record):
                kept.append(record)
        except RecordRejectedError as error:
            rejects.append(Reject(record, [Problem(None, "filter", error.message)]))
    return kept, rejects
