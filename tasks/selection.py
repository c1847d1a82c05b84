"""Which records of a page belong to the run: the errors among them, the cursor, the filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from astrio.blocks.errors import ApiAnswerError, RecordRejectedError
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Problem, Reject
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.decode.apart import Apart
from astrio.tasks.decode.base import BrokenRecord
from astrio.tasks.mapping.compile import Expression
from astrio.tasks.projected import Projected, picked
from astrio.tasks.shapes import describe
from astrio.tasks.ties import Ties

Keep = Callable[[Any], Any]


@dataclass(slots=True)
class Selected:
    """The records that go on, those that cannot, and the highest cursor of the page.

    Attributes:
        known: how many others the last run has written already.
        ties: the cursors of those at the boundary of the next run, by their content.
    """

    records: Sequence[Any]
    rejects: list[Reject] = field(default_factory=list)
    cursor: Any = None
    known: int = 0
    ties: dict[str, Any] | None = None


class Selection:
    """Judges the records of one source.

    Attributes:
        past: the last page lay wholly before the lower bound of a feed that is newest first.
    """

    def __init__(
        self,
        keep: Keep | None,
        cursor: CursorReader | None,
        answers: Answers,
        extra: Mapping[str, Any] | None = None,
        ties: Ties | None = None,
    ) -> None:
        """Take what judges records.

        Args:
            keep: the filter.
            cursor: reads the records' cursors.
            answers: tells errors from records.
            extra: fields that each record gets.
            ties: knows records that the last run has written.
        """
        self._ties = ties
        self._extra = extra
        self._keep = keep
        self._cursor = cursor
        self._answers = answers
        self.past = False

    def __call__(self, records: list[Any]) -> Selected:
        """Return what becomes of a page's records.

        Raises:
            ApiAnswerError: a cursor cannot be read.
        """
        apart = isinstance(records, Apart)
        if self._extra is not None:
            records = _all_extended(records, self._extra)
        cursor, known = None, 0
        wanted: Sequence[Any] = records
        if self._cursor is not None:
            seen = self._cursor.read(records)
            cursor, self.past = seen.highest, seen.past
            if self._ties is not None:
                new = self._ties.fresh(records, seen.values)
                known = len(records) - sum(new)
                mask = seen.wanted or [True] * len(records)
                pairs = enumerate(zip(mask, new, strict=True))
                wanted = picked(records, [at for at, (yes, add) in pairs if yes and add])
            elif seen.wanted is not None:
                wanted = picked(records, [at for at, yes in enumerate(seen.wanted) if yes])
        errors: list[Reject] = []
        if self._answers.rejects or apart:
            wanted, errors = self._answers.sorted_out(wanted)
        kept, rejects = judged(wanted, self._keep)
        ties = self._ties.current if self._ties is not None else None
        return Selected(kept, errors + rejects, cursor, known, ties)


def judged(records: Sequence[Any], keep: Keep | None) -> tuple[Sequence[Any], list[Reject]]:
    """Return the records that the filter lets through, and those that break it."""
    if keep is None:
        return records, []
    kept: list[int] = []
    rejects: list[Reject] = []
    for place, found in enumerate(_results(keep, records)):
        if isinstance(found, RecordRejectedError):
            rejects.append(Reject(records[place], [Problem(None, "filter", found.message)]))
        elif found:
            kept.append(place)
    return (records if len(kept) == len(records) else picked(records, kept)), rejects


def _results(keep: Keep, records: Sequence[Any]) -> Iterator[Any]:
    """Yield what the filter says of each record, or the error of one that breaks it."""
    if isinstance(keep, Expression) and isinstance(records, Projected):
        yield from keep.over(records)
        return
    for record in records:
        try:
            yield keep(record)
        except RecordRejectedError as error:
            yield error


def _all_extended(records: list[Any], extra: Mapping[str, Any]) -> list[Any]:
    if isinstance(records, Projected) and records.exact and records.shape is None:
        return Projected.exactly([_extended(record, extra) for record in records.structs()])
    return [_extended(record, extra) for record in records]


def _extended(record: Any, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with further fields.

    Raises:
        ApiAnswerError: it has one of them, or is no object.
    """
    if isinstance(record, BrokenRecord):
        return record
    if not isinstance(record, dict):
        raise ApiAnswerError(
            f"A record is {describe(record)}, not an object to hold the field {next(iter(extra))}.",
            advice="Correct source.records.",
        )
    for name in extra:
        if name in record:
            raise ApiAnswerError(
                f"A record has a field {name} of its own.",
                advice="Choose another name: source.parent.as, or partitions.as.",
            )
    return {**record, **extra}
