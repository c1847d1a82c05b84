"""Runs that replace a table, as the tests of mode `replace` make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import inspect
from tests.contracts.stream import Stream, batch

from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.sql.destination import SqlDestination
from astrio.tasks.report import Records, RunReport

Row = tuple[Any, ...]


def replaced(stream: Stream, columns: str, *rows: Row) -> tuple[Written, Records]:
    """Replace the table in a run of its own; return what became of the rows, and the counts."""
    destination, report = stream.open(), RunReport(integration="shop", state="completed")
    written = destination.commit(Chunk([batch(columns, *rows)]))
    destination.finish(report, clear_resume=True)
    destination.close()
    return written, report.records


def staged(stream: Stream, columns: str, *rows: Row) -> SqlDestination:
    """Open a run and stage rows; its end is up to the test."""
    destination = stream.open()
    destination.commit(Chunk([batch(columns, *rows)]))
    return destination


def finish(destination: SqlDestination) -> None:
    destination.finish(RunReport(integration="shop"), clear_resume=True)


def staging_tables(stream: Stream) -> list[str]:
    names = inspect(stream.database).get_table_names()
    return [name for name in names if name.startswith("_astrio_staging_")]


class Replacing:
    """Streams of mode `replace` in the database of the fixture `url`."""

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, mode="replace")
        yield stream
        stream.close()

    @pytest.fixture
    def keyless(self, url: str) -> Iterator[Stream]:
        stream = Stream(url, mode="replace", key=[])
        yield stream
        stream.close()
