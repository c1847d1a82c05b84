"""A dry run foretells the run after it, whatever source and destination, and leaves no trace."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect, text
from tests.flows.api import integration
from tests.flows.running import Faulty
from tests.support.databases import engine_of
from tests.support.server import answer

from astrio.blocks.errors import AstrioError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.tasks.difference import Difference
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport

SAME = {"seconds", "requests", "dry_run", "difference", "flow_run", "window"}
QUOTE = '"{}"'

VALUES = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.sampled_from(["a", "b", "7", ""]),
    st.floats(-2, 2, width=16),
    st.booleans(),
    st.just({"x": [1]}),
)
LINES = st.lists(st.fixed_dictionaries({"sku": st.sampled_from("xy")}), max_size=2)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 6) | st.none(), "name": VALUES},
        optional={"lines": LINES, "size": VALUES, "version": st.integers(0, 2), "note": VALUES},
    ),
    max_size=12,
)
PUSHES = st.sampled_from(
    [
        {"mode": "upsert", "key": ["id"]},
        {"mode": "upsert", "key": ["id"], "version": "version"},
        {"mode": "upsert", "key": ["id"], "contract": "freeze"},
        {"mode": "upsert", "key": ["id"], "contract": "quarantine"},
        {"mode": "append", "contract": "discard_value"},
        {"mode": "append"},
        {"mode": "append", "atomic": True},
        {"mode": "replace"},
        {"mode": "replace", "key": ["id"]},
        {"mode": "history", "key": ["id"]},
        {"mode": "history", "key": ["id"], "version": "version"},
        {"mode": "upsert", "key": ["id"], "children": {"lines": "item_lines"}},
    ]
)


class Database:
    """A database that is looked at from outside."""

    def __init__(self, url: str, file: Path | None = None) -> None:
        self.url = url
        self.file = file
        self.engine: Engine = engine_of(url)

    def all(self) -> Any:
        """Return everything that is in it: the bytes of a file, or tables, rows and sequences."""
        if self.file is not None:
            return self.file.read_bytes() if self.file.exists() else None
        with self.engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            found: dict[str, Any] = {
                name: (self.columns(name), sorted(map(repr, self.rows(name)))) for name in tables
            }
            for what in ("pg_indexes", "pg_sequences", "pg_constraint"):
                where = "" if what == "pg_constraint" else " WHERE schemaname = 'public'"
                rows = connection.execute(text(f"SELECT * FROM {what}{where}"))
                found[what] = sorted(map(repr, rows))
            return found

    def columns(self, table: str = "items") -> dict[str, str]:
        """Return the table's columns with their types."""
        if self.file is not None and not self.file.exists():
            return {}  # looking would create it
        with self.engine.connect() as connection:
            if not inspect(connection).has_table(table):
                return {}
            columns = inspect(connection).get_columns(table)
            return {each["name"]: str(each["type"]) for each in columns}

    def rows(self, table: str = "items") -> list[dict[str, Any]]:
        """Return the table's rows, of a history the open versions without their time."""
        if not self.columns(table):
            return []
        with self.engine.connect() as connection:
            rows = connection.execute(text(f"SELECT * FROM {QUOTE.format(table)}"))
            return [
                {
                    name: value
                    for name, value in row.items()
                    if name not in ("valid_from", "valid_to")
                }
                for row in rows.mappings()
                if row.get("valid_to") is None
            ]


def plan_of(api: Faulty, database: Database, push: dict[str, Any]) -> Integration:
    more = {name: value for name, value in push.items() if name != "atomic"}
    return integration(
        api.server.url,
        Path("unused"),
        map=None,
        validate=[{"field": "name", "required": True}],
        max_rejected="100%" if push.get("atomic") else None,
        push={"to": {"url": database.url}, "table": "items", **more},
    )


async def outcome(plan: Integration, **options: Any) -> RunReport:
    """Return the report of a run, whether it fails or not."""
    run = Run(plan, RunOptions(**options))
    try:
        return await engine(run)
    except AstrioError:
        return run.told()


def truth(
    before: list[dict[str, Any]], after: list[dict[str, Any]], push: dict[str, Any]
) -> tuple[int, int, int | None]:
    """Return how many rows are new and removed, and, told apart by their key, changed."""
    if push["mode"] == "append":
        return len(after) - len(before), 0, 0
    if "key" not in push:
        return len(after), len(before), 0
    old, new = ({str(row.get("id")): row for row in rows} for rows in (before, after))
    changed = sum(
        {name: str(value) for name, value in row.items() if value is not None}
        != {name: str(value) for name, value in old[key].items() if value is not None}
        for key, row in new.items()
        if key in old
    )
    return len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed


async def check(
    api: Faulty, database: Database, push: dict[str, Any], *sources: list[dict[str, Any]]
) -> None:
    """Hold a dry run against the run after it, for one source after the other."""
    plan = plan_of(api, database, push)
    for source in sources:
        api.records = [each | {"updated_at": ""} for each in source]
        api.asked("cursor")
        before, rows, columns = database.all(), database.rows(), database.columns()
        foretold = await outcome(plan, dry_run=True)
        asked = api.asked("cursor")
        assert database.all() == before
        real = await outcome(plan)
        assert api.asked("cursor") == asked
        assert foretold.model_dump(exclude=SAME) == real.model_dump(exclude=SAME)
        found = foretold.difference
        assert found is not None
        judge(found, push, (rows, database.rows()), (columns, database.columns()), real)


def judge(
    found: Difference,
    push: dict[str, Any],
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    columns: tuple[dict[str, str], dict[str, str]],
    real: RunReport,
) -> None:
    """Hold the difference against the table before and after."""
    old, new = columns
    assert set(found.columns_added) == new.keys() - old.keys()
    assert set(found.columns_widened) == {name for name in old if old[name] != new[name]}
    assert found.table_created == (not old and bool(new))
    if real.error is not None and push["mode"] == "replace":
        assert (found.new, found.changed, found.removed) == (0, 0, 0)
        return
    added, removed, changed = truth(*rows, push)
    assert (found.new, found.removed) == (added, removed)
    if push["mode"] == "replace":
        assert found.removed == real.records.deleted
        if not found.columns_widened:
            assert found.changed == changed
            assert found.unchanged == len(rows[1]) - added - found.changed
    else:
        # A run that goes on from an interrupted one counts on from there.
        assert found.new + found.changed <= real.records.written
        assert found.changed >= len(found.examples)
    for each in found.examples:
        (was,) = [row for row in rows[0] if row["id"] == each.key["id"]]
        (now,) = [row for row in rows[1] if row["id"] == each.key["id"]]
        for name, field in each.fields.items():
            assert (field.before, field.after) == (was.get(name), now[name])


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty([], at=6, size=3).serving() as served:
        yield served


few = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
cases = given(push=PUSHES, first=RECORDS, second=RECORDS, broken=st.booleans())
# By default few examples are tried on each database; the slow tests try two to three times as many.


@few
@cases
async def test_on_sqlite(api: Faulty, **case: Any) -> None:
    await on_sqlite(api, **case)


@pytest.mark.slow
@settings(few, max_examples=25)
@cases
async def test_on_sqlite_at_length(api: Faulty, **case: Any) -> None:
    await on_sqlite(api, **case)


async def on_sqlite(api: Faulty, *, broken: bool, **case: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "items.db"
        await tried(api, Database(f"sqlite:///{file}", file), broken=broken, **case)
        assert os.listdir(folder) == ["items.db"]


@settings(few, max_examples=4)
@cases
async def test_on_duckdb(api: Faulty, **case: Any) -> None:
    await on_duckdb(api, **case)


@pytest.mark.slow
@settings(few, max_examples=12)
@cases
async def test_on_duckdb_at_length(api: Faulty, **case: Any) -> None:
    await on_duckdb(api, **case)


async def on_duckdb(api: Faulty, *, broken: bool, **case: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "items.duckdb"
        await tried(api, Database(f"duckdb:///{file}", file), broken=broken, **case)
        assert os.listdir(folder) == ["items.duckdb"]


@settings(few, max_examples=4)
@cases
async def test_on_postgresql(api: Faulty, postgres_url: str, **case: Any) -> None:
    await on_postgresql(api, postgres_url, **case)


@pytest.mark.slow
@settings(few, max_examples=12)
@cases
async def test_on_postgresql_at_length(api: Faulty, postgres_url: str, **case: Any) -> None:
    await on_postgresql(api, postgres_url, **case)


async def on_postgresql(api: Faulty, url: str, *, broken: bool, **case: Any) -> None:
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    await tried(api, database, broken=broken, **case)
    database.engine.dispose()


async def tried(
    api: Faulty,
    database: Database,
    *,
    push: dict[str, Any],
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
    broken: bool,
) -> None:
    api.fault = (lambda _: answer("broken", 404)) if broken else None
    await check(api, database, push, first, second)
