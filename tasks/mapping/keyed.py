"""The keys of records that are rejected before they are mapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from astrio.tasks.batch import Batch, Page, Reject
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.mapping.compile import CompiledMapping

_NO_RECORDS: Final = "format"
"""The rule of lines that could not be read."""


class Keyed:
    """A mapping that also finds the keys of a page's rejects.

    A record that breaks the filter, or that the API has failed, is then told by its key in the
    quarantine, and leaves it once a record of that key is written.
    """

    def __init__(self, mapping: CompiledMapping, key: Sequence[str]) -> None:
        """Take the mapping, and the targets whose values identify a record."""
        self._mapping = mapping
        self._key = key

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The mapping's own."""
        return self._mapping.columns

    def transform(self, page: Page) -> Batch:
        """Map a page."""
        self._find_keys(page.rejects)
        return self._mapping.transform(page)

    def explain(self, record: Any) -> list[tuple[str, Any, str | None]]:
        """Return (target, value, problem or None) for each target of one record."""
        return self._mapping.explain(record)

    def _find_keys(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            if reject.key is None and reject.problems[0].rule != _NO_RECORDS:
                explained = self._mapping.explain(reject.record)
                places = key_places([target for target, _, _ in explained], self._key)
                reject.key = key_of([value for _, value, _ in explained], places)
