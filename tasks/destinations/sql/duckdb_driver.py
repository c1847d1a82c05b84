"""DuckDB's connections with savepoints, which DuckDB itself does not have.

An error ends DuckDB's transaction: it refuses every further statement, and a COMMIT then rolls
back without a word. So each step of a transaction that writes is noted; to go back to a savepoint,
the transaction is rolled back, and the steps before the savepoint are taken again. A commit that
would be such a silent rollback raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import Any, Final

import duckdb
import pyarrow as pa

_QUERIES: Final = ("SELECT", "WITH", "FROM", "VALUES", "PRAGMA")
_COUNTED: Final = ("Count", "Success")
_IN_MEMORY: Final = 8 * 2**20
_ROWS: Final = "_astrio_rows"

Step = Callable[[], Any]


class JournaledConnection:
    """A connection as DB-API 2.0 (PEP 249) has it; its transactions begin with `begin`.

    Attributes:
        suspects: names of tables that have refused rows.
    """

    def __init__(self, raw: duckdb.DuckDBPyConnection) -> None:
        """Take over DuckDB's own connection."""
        self.raw = raw
        self._steps: list[Step] = []
        self._savepoints: list[tuple[str, int]] = []
        self._spool: SpooledTemporaryFile[bytes] | None = None
        self._failed = False
        self.suspects: set[str] = set()

    def cursor(self) -> Cursor:
        """Return a cursor; all of them share the transaction."""
        return Cursor(self)

    def begin(self) -> None:
        """Begin a transaction."""
        self._forget()
        self.raw.begin()

    def commit(self) -> None:
        """Commit.

        Raises:
            duckdb.Error: nothing is committed; an error has ended the transaction before.
        """
        if self._failed:
            self.raw.execute("SELECT 1")  # raises if the transaction is aborted
        self.raw.commit()
        self._forget()

    def rollback(self) -> None:
        """Roll back; there need not be a transaction any more."""
        self._forget()
        with suppress(duckdb.TransactionException):
            self.raw.rollback()

    def close(self) -> None:
        """Close; what is not committed is rolled back."""
        self._forget()
        self.raw.close()

    def savepoint(self, name: str) -> None:
        """Remember this point of the transaction."""
        self._savepoints.append((name, len(self._steps)))

    def rollback_to(self, name: str) -> None:
        """Undo what was done since the savepoint, which stays.

        Raises:
            duckdb.Error: the steps before it cannot be taken again; the transaction is lost.
        """
        place = self._place_of(name)
        position = self._savepoints[place][1]
        del self._savepoints[place + 1 :]
        if position == len(self._steps) and not self._failed:
            return
        del self._steps[position:]
        with suppress(duckdb.TransactionException):
            self.raw.rollback()
        self.raw.begin()
        for step in self._steps:
            step()
        self._failed = False

    def release(self, name: str) -> None:
        """Forget the savepoint, and those after it."""
        del self._savepoints[self._place_of(name) :]

    def write(self, step: Step) -> Any:
        """Take a step, and note it."""
        result = self.watched(step)
        self._steps.append(step)
        return result

    def watched(self, step: Step) -> Any:
        """Take a step that writes nothing."""
        try:
            return step()
        except duckdb.Error:
            self._failed = True
            raise

    def write_rows(self, statement: str, rows: pa.Table) -> int:
        """Run a statement that reads `rows` as the table `_astrio_rows`; return what it counts."""
        spool = self._spool = self._spool or SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (it lasts as long as the transaction)
        spool.seek(0, 2)
        start = spool.tell()
        with pa.ipc.new_stream(spool, rows.schema) as stream:
            stream.write_table(rows)
        length, given = spool.tell() - start, [rows]

        def step() -> int:
            if given:
                return self._merge(statement, given.pop())
            spool.seek(start)
            return self._merge(statement, pa.ipc.open_stream(spool.read(length)).read_all())

        changed: int = self.write(step)
        return changed

    def look_up(self, query: str, rows: pa.Table) -> pa.Table:
        """Return what a query finds that reads `rows` as the table `_astrio_rows`."""
        self.raw.register(_ROWS, rows)
        try:
            return self.watched(lambda: self.raw.sql(query).to_arrow_table())
        finally:
            with suppress(duckdb.Error):
                self.raw.unregister(_ROWS)

    def _merge(self, statement: str, rows: pa.Table) -> int:
        self.raw.register(_ROWS, rows)
        try:
            (changed,) = self.raw.execute(statement).fetchall()[0]
            return int(changed)
        finally:
            with suppress(duckdb.Error):
                self.raw.unregister(_ROWS)

    def _place_of(self, name: str) -> int:
        places = [at for at, (known, _) in enumerate(self._savepoints) if known == name]
        return places[-1]

    def _forget(self) -> None:
        self._steps.clear()
        self._savepoints.clear()
        self._failed = False
        if self._spool is not None:
            self._spool.close()
            self._spool = None


class Cursor:
    """A cursor as DB-API 2.0 has it, which holds the whole result of its last statement."""

    arraysize = 1

    def __init__(self, connection: JournaledConnection) -> None:
        self.connection = connection
        self.description: list[Any] | None = None
        self.rowcount = -1
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement, and note it if it writes."""
        raw = self.connection.raw
        if statement.lstrip(" \n(").upper().startswith(_QUERIES):
            self.connection.watched(lambda: raw.execute(statement, parameters or None))
            self._rows, self.description = raw.fetchall(), raw.description
            self.rowcount = len(self._rows)
            return
        self.connection.write(lambda: raw.execute(statement, parameters or None))
        self._rows, self.description, self.rowcount = [], None, raw.rowcount
        if raw.description and raw.description[0][0] not in _COUNTED:  # RETURNING
            self._rows, self.description = raw.fetchall(), raw.description
            self.rowcount = len(self._rows)

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Execute a statement that writes with each of the parameters."""
        raw, rows = self.connection.raw, list(parameters)
        self.connection.write(lambda: raw.executemany(statement, rows))
        self._rows, self.description, self.rowcount = [], None, -1

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None after the last."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = arraysize) -> list[tuple[Any, ...]]:
        """Return the next rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all further rows."""
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Drop the result."""
        self._rows = []
