"""Skipping pages that the table holds already, and noting what is needed to do so next time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astrio.tasks.batch import Batch, Page
from astrio.tasks.columns import key_places
from astrio.tasks.mapping.compile import CompiledMapping, Explanation
from astrio.tasks.selection import Keep, judged
from astrio.tasks.unchanged.known import KnownPages
from astrio.tasks.unchanged.mark import Keys, Mark, keys_of
from astrio.tasks.unchanged.unread import Unread


class Skipping:
    """A mapping that passes over the records of pages that stand in the table as they are.

    It is here, where pages come one after the other, that is decided: whoever reads pages is
    several of them ahead.
    """

    def __init__(
        self, mapping: CompiledMapping, known: KnownPages, key: Sequence[str], keep: Keep | None
    ) -> None:
        """Take the mapping, what is known, the key's targets, and the filter."""
        self._mapping = mapping
        self._known = known
        self._key = tuple(key)
        self._keep = keep

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The mapping's own."""
        return self._mapping.columns

    def explain(self, record: Any) -> list[Explanation]:
        """Return (target, value, problem or None) for each target of one record."""
        return self._mapping.explain(record)

    def transform(self, page: Page) -> Batch:
        """Map a page, unless it can be skipped."""
        mark = page.mark = page.mark or Mark()
        if isinstance(page.records, Unread):
            known = self._known.find(mark.digest)
            if known is not None and self._known.stands(known):
                mark.skipped, page.records, page.size = True, (), 0
                page.filtered, page.known = known.filtered, known.fetched - known.filtered
                return self._mapping.transform(page)
            self._read(page, page.records)
        batch = self._mapping.transform(page)
        mark.keys = self._keys_of(batch)
        self._known.touch(mark.keys)
        return batch

    def _read(self, page: Page, records: Unread) -> None:
        """Let the page hold its records, those that the filter lets through."""
        page.records, page.rejects = judged(records.whole, self._keep)
        page.filtered = page.fetched - len(page.records) - len(page.rejects)

    def _keys_of(self, batch: Batch) -> Keys | None:
        """Return the keys of all records of a page, whatever becomes of them."""
        places = key_places(batch.columns, self._key)
        page, rejects = batch.page, [*batch.page.rejects, *batch.rejects]
        apart = [each.key for each in rejects if each.key is not None]
        apart += [each.key for each in page.deletions]
        keys, others = keys_of(batch.rows, places), keys_of(apart, range(len(places)))
        return None if keys is None or others is None else keys + others
