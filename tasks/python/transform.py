"""`transform: module:function`: the user's function in the place of a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from astrio.tasks.batch import Batch, Page, Problem, Reject
from astrio.tasks.columns import is_reserved, key_of, key_places
from astrio.tasks.mapping.access import record_of
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.values import kind
from astrio.tasks.python.copying import copied
from astrio.tasks.python.references import asks_for_context, plain_function, resolve
from astrio.tasks.python.telling import reason_of

RULE = "transform"


class PythonTransform:
    """Calls a function for each record, which returns the row as a dict, or None to filter it.

    The function gets a copy, so whatever it does to the record, the quarantine keeps what came.
    The columns of a batch are the keys of what it returns, in the order they are first seen.
    """

    columns: None = None

    def __init__(self, reference: str, context: MappingContext, key: Sequence[str] = ()) -> None:
        """Import the function.

        Args:
            reference: `module:function`.
            context: the run's clock, for a function with a keyword-only `context`.
            key: the names of the columns that identify a record among the rejects.

        Raises:
            PythonError: there is no such function, or it takes no record.
        """
        target = resolve(reference)
        function = plain_function(target, RULE)
        if asks_for_context(function):
            function = partial(function, context=context)
        self._function: Callable[[Any], Any] = function
        self._file = target.file
        self._key = tuple(key)

    def transform(self, page: Page) -> Batch:
        """Make a batch of a page; what the function leaves out counts as filtered."""
        sources: list[Any] = []
        made: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        for record in page.records:
            row = self.row(record)
            if isinstance(row, Reject):
                rejects.append(row)
            elif row is not None:
                made.append(row)
                sources.append(record)
        left_out = len(page.records) - len(made) - len(rejects)
        columns = tuple(dict.fromkeys(chain.from_iterable(made)))
        rows = [tuple(map(row.get, columns)) for row in made]
        page = replace(page, filtered=page.filtered + left_out)
        return Batch(page, columns, rows, sources, rejects)

    def explain(self, record: Any) -> list[tuple[str, Any, str | None]]:
        """Return every key with its value; nothing if the function leaves the record out."""
        row = self.row(record)
        if not isinstance(row, Reject):
            return [(name, value, None) for name, value in (row or {}).items()]
        return [(problem.field or "$", None, problem.reason) for problem in row.problems]

    def row(self, record: Any) -> dict[str, Any] | Reject | None:
        """Return what one record becomes; None: it is left out."""
        try:
            row = self._function(copied(record_of(record)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a user's function may raise anything)
            return _rejected(record, reason_of(error, self._file))
        if row is None or (row.__class__ is dict and not _odd(row)):
            return row
        return self._refused(record, row)

    def _refused(self, record: Any, row: Any) -> Reject | dict[str, Any]:
        if not isinstance(row, dict):
            return _rejected(record, f"the function returned {kind(row)}, not a dict or None")
        if not all(isinstance(name, str) for name in row):
            return _rejected(record, "the function returned a dict with a key that is no text")
        reserved = [name for name in row if is_reserved(name)]
        if not reserved:
            return dict(row)
        reason = "is a name that astrio keeps for itself"
        key = key_of(tuple(row.values()), key_places(tuple(row), self._key))
        return Reject(record, [Problem(name, RULE, reason) for name in reserved], key)


def _rejected(record: Any, reason: str) -> Reject:
    return Reject(record, [Problem(None, RULE, reason)])


def _odd(names: Iterable[Any]) -> bool:
    """Whether a name needs a closer look."""
    return any(name.__class__ is not str or name.startswith("_") for name in names)
