"""What travels down the chain: pages of source records, then batches of mapped rows.

Both are opaque objects rather than lists of dicts: Prefect walks every collection that a task
yields (milliseconds a page) and keeps weak references to what it yielded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from math import isnan
from typing import Any, Final

from astrio.tasks.texts import unstorable_text
from astrio.tasks.unchanged.mark import Mark

NUMBERS: Final = frozenset({frozenset({int}), frozenset({float})})
"""The types of columns of which `Field.bounds` tells."""


@dataclass(slots=True, eq=False)
class Problem:
    """One reason why a record is rejected, or worth a warning.

    Attributes:
        field: the target field (None: the whole record).
        rule: a rule's name, or `map` for a failed expression.
        reason: a sentence without the record's other values.
        value: the kind and size of the value that broke the rule, never the value itself.
        expression: the expression that is not true, or fails.
        position: 1-based column in it at which it fails.
        severity: `error`, or `warning` where the record is written all the same.
    """

    field: str | None
    rule: str
    reason: str
    value: str | None = None
    expression: str | None = None
    position: int | None = None
    severity: str = "error"

    def told(self) -> dict[str, Any]:
        """Return the problem as JSON values; what is not known is left out."""
        extras = {
            "value": self.value,
            "expression": self.expression,
            "position": self.position,
        }
        known = {name: value for name, value in extras.items() if value is not None}
        return {"field": self.field, "rule": self.rule, "reason": self.reason, **known}


@dataclass(slots=True, eq=False)
class Reject:
    """A rejected record: the source record, its mapped key values if known, and all reasons."""

    record: Any
    problems: list[Problem]
    key: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """A record that tells that another is gone.

    Attributes:
        record: the source record.
        key: the key of the row that goes, as the mapping makes it.
        version: its version, None if there is none.
    """

    record: Any
    key: tuple[Any, ...]
    version: Any = None


@dataclass(frozen=True, slots=True)
class ParentsSeen:
    """How many parents were read so far, how many have no children to read, and some of these."""

    read: int
    missing: int
    examples: tuple[str, ...] = ()


@dataclass(slots=True, weakref_slot=True, eq=False)
class Page:
    """One page of the source, as `fetch` yields it.

    Attributes:
        number: 1-based, counted over the whole logical run (a resumed run goes on counting).
        records: the source records that passed `source.filter`.
        fetched: how many records the page held.
        filtered: how many of them the filter left out.
        rejects: those that break the filter's expression.
        resume: the next-page request as JSON values, or None after the last page.
        cursor: the highest incremental cursor value on the page, as the source wrote it.
        stop_reason: why the source ended here (contract.md), None while there is more.
        claimed: how many records the API says there are in all, if it says so.
        restart: this page begins the slice anew; counts of this slice so far are void.
        partition: a part of the source (a parent's key) that is read with this page, and its
            new watermark.
        parents: the parents read so far, if the source has parents.
        known: how many records the last run has written already.
        ties: the cursors of the records at the boundary of the next run, by their content.
        effects: events that have had their effect once this page is committed.
        deletions: records that tell of a deletion, once they are taken from `records`; they come
            after all others of the page.
        size: bytes of the records as they came: of the body, or of its piece that they are.
        mark: by what an unchanged page is known again; None: the run looks for none.
    """

    number: int
    records: Sequence[Any] = ()
    fetched: int = 0
    filtered: int = 0
    rejects: list[Reject] = field(default_factory=list)
    resume: dict[str, Any] | None = None
    cursor: Any = None
    stop_reason: str | None = None
    claimed: int | None = None
    restart: bool = False
    partition: tuple[str, Any] | None = None
    parents: ParentsSeen | None = None
    known: int = 0
    ties: dict[str, Any] | None = None
    effects: Sequence[str] = ()
    deletions: Sequence[Deletion] = ()
    size: int = 0
    mark: Mark | None = None


@dataclass(slots=True, eq=False)
class Field:
    """A column of a batch: its values, and their types.

    What several ask of the values is found out once, at best soon after they were made: once other
    pages have been read, each value has to be fetched from memory again.
    """

    values: Sequence[Any]
    types: frozenset[type]
    _lengths: tuple[int, int] | None = None
    _unstorable: str | None = None
    _bounds: tuple[Any, ...] | None = None

    def look(self) -> None:
        """Find out now what will be asked."""
        if str in self.types:
            self.lengths()
            self.unstorable()
        elif self.types in NUMBERS:
            self.bounds()

    def texts(self) -> Sequence[str]:
        """Return the texts among the values."""
        if len(self.types) == 1:
            return self.values if str in self.types else ()
        return [value for value in self.values if type(value) is str]

    def lengths(self) -> tuple[int, int]:
        """Return the least and the greatest length of its texts, of which there must be one."""
        if self._lengths is None:
            lengths = set(map(len, self.texts()))
            self._lengths = min(lengths), max(lengths)
        return self._lengths

    def bounds(self) -> tuple[Any, ...]:
        """Return the least and the greatest of its values, which are all integers or all floats.

        Floats that are not a number (NaN) do not count; of no others, nothing is returned.
        """
        if self._bounds is None:
            values = self.values
            if float in self.types and isnan(sum(values)):
                values = [value for value in values if not isnan(value)]
            self._bounds = (min(values), max(values)) if values else ()
        return self._bounds

    def unstorable(self) -> str | None:
        """Return why no column takes one of its texts, None if any does."""
        if self._unstorable is None:
            self._unstorable = unstorable_text(self.texts())
        return self._unstorable or None


@dataclass(slots=True, weakref_slot=True, eq=False)
class Batch:
    """One page after `transform` (and `validate`): rows as tuples in the order of `columns`.

    `sources[i]` is the source record of `rows[i]`. `page` is the page's metadata; its
    `records` are no longer needed once the batch exists. `broken` counts the records that broke
    each rule, by (field, rule, severity).
    """

    page: Page
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    sources: Sequence[Any]
    rejects: list[Reject] = field(default_factory=list)
    broken: dict[tuple[str | None, str, str], int] = field(default_factory=dict)
    _fields: list[Field] | None = field(default=None, init=False, repr=False)

    @property
    def size(self) -> int:
        """Bytes of the page as it came."""
        return self.page.size

    def fields(self) -> list[Field]:
        """Return the rows column by column, for all who ask; the rows may not change any more."""
        if self._fields is None:
            columns = zip(*self.rows, strict=True) if self.rows else repeat((), len(self.columns))
            self._fields = [Field(values, frozenset(map(type, values))) for values in columns]
        return self._fields
