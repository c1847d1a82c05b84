"""The chunks of an atomic slice, kept so that they can be written again.

A database that commits a table's change by itself cannot make one in the midst of the slice's
transaction: that is rolled back, the table is changed, and the chunks so far are written anew.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, Final, overload

from astrio.blocks.errors import DestinationBusyError
from astrio.tasks.batch import Batch, Page
from astrio.tasks.destinations.base import Written
from astrio.tasks.replayed import ReplayedPage

_IN_MEMORY: Final = 32 * 2**20

State = Callable[[], None]
"""Puts what a chunk stores beside its rows into the transaction of now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk, without its rows.

    Attributes:
        written: what became of the rows.
        keep: stores, within the slice's transaction, all that commits with the rows.
    """

    written: Written
    keep: Sequence[State]


class _NoRecords(Sequence[Any]):
    """Stands for source records that nobody will ask for."""

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return None

    def __len__(self) -> int:
        return 0


class Journal:
    """Keeps rows in memory, and many of them in a file that nobody but this process can open."""

    def __init__(self, fields: Sequence[str]) -> None:
        """Take the fields that the writer had seen when the slice began."""
        self.fields = tuple(fields)
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (`close` closes it)
        self._entries: list[Entry] = []

    def note(self, batches: Sequence[Batch], written: Written, keep: Sequence[State]) -> None:
        """Keep a chunk that was written."""
        self._file.seek(0, 2)
        pickle.dump([(each.columns, each.rows) for each in batches], self._file)
        self._entries.append(Entry(written, keep))

    def again(self, write: Callable[[Sequence[Batch]], Written]) -> None:
        """Write the chunks again, in order; each has the same outcome, or the slice fails.

        Raises:
            DestinationBusyError: somebody else has changed the table meanwhile.
        """
        for batches, entry in zip(self._chunks(), self._entries, strict=True):
            if _counts(write(batches)) != _counts(entry.written):
                raise DestinationBusyError(
                    "Another session has changed the table while the slice was being written.",
                    advice="Run again: nothing of the slice was committed.",
                )
            for each in entry.keep:
                each()

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
        self._entries.clear()

    def _chunks(self) -> Iterator[list[Batch]]:
        self._file.seek(0)
        for _ in self._entries:
            chunk = pickle.load(self._file)  # noqa: S301 (this process has written it)
            place = self._file.tell()
            yield [Batch(Page(0), columns, rows, _NoRecords()) for columns, rows in chunk]
            self._file.seek(place)


def without_rows(batches: Sequence[Batch]) -> list[Batch]:
    """Return the batches' rejects, and what a replay needs of the pages."""
    return [
        Batch(each.page if isinstance(each.page, ReplayedPage) else Page(0), (), [], [], rejects)
        for each in batches
        if (rejects := each.rejects) or isinstance(each.page, ReplayedPage)
    ]


def _counts(written: Written) -> tuple[int, ...]:
    lost = (len(written.rejected), len(written.failed))
    return (written.written, written.unchanged, written.filtered, *lost)
