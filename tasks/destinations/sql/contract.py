"""Holding rows against the table as it stands, where `push.contract` keeps it so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from astrio.blocks.errors import AstrioError, ContractError, DestinationError
from astrio.tasks.batch import Problem
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.contract import ContractSettings
from astrio.tasks.destinations.sql import added_columns
from astrio.tasks.destinations.sql.dialect import Dialect, Held, Relation
from astrio.tasks.destinations.sql.kinds import WORDS, Kind, join, kind_of
from astrio.tasks.destinations.sql.quarantine import key_text
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.stream import Stamp
from astrio.tasks.destinations.sql.values import Column

RULE: Final = "contract"
TABLE: Final = "(the table)"


@dataclass(slots=True)
class _Verdict:
    """What becomes of rows, by their places."""

    quarantined: dict[int, list[Problem]] = field(default_factory=dict)
    discarded: dict[int, str] = field(default_factory=dict)
    emptied: dict[int, set[int]] = field(default_factory=dict)
    """The values left out: positions in the row."""


class Contract:
    """The terms of one stream's table, and whether they hold yet."""

    def __init__(
        self, terms: ContractSettings, dialect: Dialect, table: str, key: Sequence[str]
    ) -> None:
        """Take the terms, the table's name as its user knows it, and the fields of the key."""
        self._terms = terms
        self._dialect = dialect
        self._table = table
        self._key = key
        self._made_here = False

    @property
    def holds(self) -> bool:
        """Whether the table stands as it is: the run that makes it decides how it looks."""
        return self._terms.holds and not self._made_here

    @property
    def types_evolve(self) -> bool:
        """Whether a column may change for its values."""
        return not self.holds or self._terms.types == "evolve"

    def begin(self, connection: Connection, stamp: Stamp) -> None:
        """Find out whether this run makes the table.

        Raises:
            ContractError: there is no table, and none may be made.
        """
        if not self._terms.holds:
            return
        if self._dialect.describe(connection, self._table) is not None:
            self._made_here = added_columns.made_table(connection, self._table, stamp.run_id)
            return
        if self._terms.tables == "freeze":
            raise ContractError(
                f"The table {self._table} does not exist, and push.contract lets no run make it.",
                advice="Create it, correct push.table, or set push.contract.tables to evolve.",
            )
        self._made_here = self._terms.tables == "evolve"

    def hold(
        self,
        relation: Relation | None,
        rows: Rows,
        columns: Sequence[tuple[str, Column]],
        written: Written,
    ) -> Rows:
        """Return the rows that fit the table, the very same if all do; the others are accounted.

        Args:
            relation: the table, None if there is none.
            rows: the rows.
            columns: the name of each field's column, and its values.
            written: takes the rejected and the discarded rows.

        Raises:
            ContractError: a row does not fit, and the contract is to freeze.
        """
        if relation is None:
            return self._without_table(rows, written)
        verdict, absent = _Verdict(), set[int]()
        for position, (name, column) in enumerate(columns):
            held, terms = relation.columns.get(name.lower()), self._terms
            if held is None and terms.columns != "evolve":
                absent.add(position)
                places = {at for at, row in enumerate(rows.rows) if row[position] is not None}
                why = f"the table {self._table} has no column {name}"
                self._judge(rows, position, terms.columns, dict.fromkeys(places, why), verdict)
            elif held and terms.types != "evolve" and not fits(self._dialect, held, column.kind):
                misfits = dict(unfit(self._dialect, held, rows, position))
                self._judge(rows, position, terms.types, misfits, verdict)
        return _carried_out(rows, verdict, absent, written)

    def _without_table(self, rows: Rows, written: Written) -> Rows:
        problem = Problem(None, RULE, f"the table {self._table} does not exist")
        places = range(len(rows.rows))
        if self._terms.tables == "quarantine":
            verdict = _Verdict(quarantined={at: [problem] for at in places})
        else:
            verdict = _Verdict(discarded=dict.fromkeys(places, TABLE))
        return _carried_out(rows, verdict, (), written)

    def _judge(
        self, rows: Rows, position: int, word: str, misfits: dict[int, str], verdict: _Verdict
    ) -> None:
        name = rows.fields[position]
        for at, why in misfits.items():
            if word == "freeze":
                raise _frozen(rows, at, name, why)
            if word == "discard_row":
                verdict.discarded.setdefault(at, name)
            elif word == "discard_value" and name not in self._key:
                verdict.emptied.setdefault(at, set()).add(position)
            else:
                verdict.quarantined.setdefault(at, []).append(Problem(name, RULE, why))


def fits(dialect: Dialect, held: Held, kind: Kind | None) -> bool:
    """Whether the column holds values of that kind as it is; each is read back as it was."""
    if kind is None or kind is held.kind or kind in held.takes:
        return True
    joined = join(held.kind, kind)
    return not held.fixed and (joined is Kind.ANY or dialect.stored(joined) is held.kind)


def unfit(dialect: Dialect, held: Held, rows: Rows, position: int) -> Iterator[tuple[int, str]]:
    """Yield the places of the rows whose value the column does not hold, and why."""
    for at, row in enumerate(rows.rows):
        value = row[position]
        kind = None if value is None else kind_of((value,), {type(value)})
        if kind is not None and not fits(dialect, held, kind):
            yield at, f"the column {held.name} is {held.declared}, and does not hold {WORDS[kind]}"


def with_record(
    error: DestinationError, dialect: Dialect, rows: Rows, held: Sequence[tuple[int, Held]]
) -> AstrioError:
    """Return the error with the first record that its columns cannot hold."""
    misfits = (at for position, each in held for at, _ in unfit(dialect, each, rows, position))
    first = min(misfits, default=None)
    if first is None:
        return error
    return DestinationError(
        f"{error.message} The first of them is in {_named(rows, first)}.",
        advice="Convert the values in `map`, change the columns, name another table, or let "
        "push.contract.types say what becomes of such records.",
    )


def _frozen(rows: Rows, at: int, name: str, why: str) -> ContractError:
    return ContractError(
        f"{_named(rows, at)} does not fit: {why} (field {name}; push.contract is freeze).".replace(
            "the record", "The record", 1
        ),
        advice="Change the table, leave the field out in `map`, or choose other words in "
        "push.contract; the next run goes on from there.",
    )


def _named(rows: Rows, at: int) -> str:
    key = tuple(rows.rows[at][position] for position in rows.key)
    return f"the record {key_text(key)}" if key else f"the record {at + 1} of a chunk"


def _carried_out(rows: Rows, verdict: _Verdict, absent: Collection[int], written: Written) -> Rows:
    quarantined, table = verdict.quarantined, written.table
    written.rejected += [rows.reject(at, *found) for at, found in sorted(quarantined.items())]
    discarded = {at: name for at, name in verdict.discarded.items() if at not in quarantined}
    for name in discarded.values():
        table.discarded_rows[name] = table.discarded_rows.get(name, 0) + 1
    written.filtered += len(discarded)
    gone = {*quarantined, *discarded}
    emptied = {at: holes for at, holes in verdict.emptied.items() if at not in gone}
    for holes in emptied.values():
        for name in (rows.fields[position] for position in holes):
            table.discarded_values[name] = table.discarded_values.get(name, 0) + 1
    return _reshaped(rows, emptied, absent).without(gone)


def _reshaped(rows: Rows, emptied: dict[int, set[int]], absent: Collection[int]) -> Rows:
    if not emptied and not absent:
        return rows
    changed: list[tuple[Any, ...]] = list(rows.rows)
    for at, holes in emptied.items():
        row = changed[at]
        changed[at] = tuple(None if place in holes else value for place, value in enumerate(row))
    kept = [place for place in range(len(rows.fields)) if place not in absent]
    if absent:
        changed = [tuple([row[place] for place in kept]) for row in changed]
    key = tuple(kept.index(place) for place in rows.key if place in kept)
    whole = len(key) == len(rows.key)
    fields = tuple(rows.fields[place] for place in kept)
    return Rows(fields, key if whole else (), changed, rows.sources, rows.more)
