"""The portions in which records are handed over, each with a name that a repetition has too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from astrio.tasks.batch import Batch
from astrio.tasks.destinations.sql.rows import Rows, by_shape


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows of one page.

    Attributes:
        id: the same whenever a page of the same number holds the same rows, until the source has
            been read to its end: so a run that goes on after another one failed, from wherever,
            gives the same rows the same name.
    """

    id: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Cut:
    """How batches are cut into portions.

    Attributes:
        stream: the stream's id.
        ended: the latest run that read the source to its end.
        key: the fields that identify a record.
        size: the most rows of a portion.
    """

    stream: str
    ended: str | None
    key: tuple[str, ...]
    size: int

    def __call__(self, batches: Sequence[Batch]) -> Iterator[Portion]:
        """Yield the portions of each page, in order."""
        for batch in batches:
            for rows in by_shape([batch], self.key, ()):
                for start in range(0, len(rows.rows), self.size):
                    some = slice(start, start + self.size)
                    part = Rows(rows.fields, rows.key, rows.rows[some], rows.sources[some])
                    yield Portion(self._id(batch.page.number, start, part), part)

    def _id(self, page: int, start: int, rows: Rows) -> str:
        told = (self.stream, self.ended, page, start, rows.fields, rows.rows)
        return sha256(repr(told).encode("utf-8", "backslashreplace")).hexdigest()[:32]
