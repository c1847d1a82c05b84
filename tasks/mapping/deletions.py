"""Records that tell of a deletion: taken out of a page, with nothing of them mapped but the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.batch import Batch, Deletion, Page, Problem, Reject
from astrio.tasks.columns import key_of, key_places
from astrio.tasks.mapping.compile import CompiledMapping, Expression
from astrio.tasks.projected import Projected, picked

RULE: Final = "deleted"


class Deletions:
    """A mapping that leaves such records to `Page.deletions`, beyond the reach of the rules.

    Of a record that comes after its deletion in the same page, the deletion is passed over, and
    counts as unchanged.
    """

    def __init__(
        self,
        mapping: CompiledMapping,
        when: Callable[[Any], Any],
        key: Sequence[str],
        version: str | None = None,
    ) -> None:
        """Take the mapping, the expression, and the targets of key and version."""
        self._mapping = mapping
        self._when = when
        self._key = tuple(key)
        self._version = version

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The mapping's own."""
        return self._mapping.columns

    def explain(self, record: Any) -> list[tuple[str, Any, str | None]]:
        """Return (target, value, problem or None) for each target of one record."""
        return self._mapping.explain(record)

    def transform(self, page: Page) -> Batch:
        """Map the page's other records."""
        verdicts = list(self._verdicts(page.records))
        if not any(verdicts):
            return self._mapping.transform(page)
        others = [place for place, verdict in enumerate(verdicts) if not verdict]
        rejects, found = list[Reject](), dict[int, Deletion]()
        for place, verdict in enumerate(verdicts):
            if verdict:
                told = self._told(page.records[place], verdict)
                if isinstance(told, Reject):
                    rejects.append(told)
                else:
                    found[place] = told
        left = replace(page, records=picked(page.records, others))
        batch = self._mapping.transform(left)
        kept = self._not_undone(page.records, others, found, batch)
        known = batch.page.known + len(found) - len(kept)
        batch.page = replace(batch.page, deletions=kept, known=known)
        batch.rejects += rejects
        return batch

    def _verdicts(self, records: Sequence[Any]) -> Iterator[Any]:
        """Yield for each record the expression's value, or the error that rejects it."""
        if isinstance(records, Projected) and isinstance(self._when, Expression):
            yield from self._when.over(records)
            return
        for record in records:
            try:
                # What is no object, the mapping rejects.
                yield isinstance(record, dict) and self._when(record)
            except RecordRejectedError as error:
                yield error

    def _told(self, record: Any, verdict: Any) -> Deletion | Reject:
        explained = self._mapping.explain(record)
        values = [value for _, value, _ in explained]
        places = key_places([target for target, _, _ in explained], self._key)
        key = key_of(values, places)
        if isinstance(verdict, RecordRejectedError):
            return Reject(record, [Problem(None, RULE, verdict.message)], key)
        if key is None:
            reason = "it tells of a deletion, and its key is empty"
            return Reject(record, [Problem(None, RULE, reason)])
        known = {target: value for target, value, problem in explained if problem is None}
        return Deletion(record, key, known.get(self._version or ""))

    def _not_undone(
        self,
        records: Sequence[Any],
        others: Sequence[int],
        found: dict[int, Deletion],
        batch: Batch,
    ) -> list[Deletion]:
        """Return the deletions whose key does not come again later in the page."""
        keys = {repr(each.key) for each in found.values()}
        places = key_places(batch.columns, self._key)
        if keys.isdisjoint(repr(key_of(row, places)) for row in batch.rows):
            return list(found.values())
        last = {repr(self._key_of(records[place])): place for place in others}
        return [each for at, each in found.items() if last.get(repr(each.key), -1) < at]

    def _key_of(self, record: Any) -> tuple[Any, ...] | None:
        explained = self._mapping.explain(record)
        places = key_places([target for target, _, _ in explained], self._key)
        return key_of([value for _, value, _ in explained], places)
