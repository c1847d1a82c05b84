"""What `push.unchanged: skip` leaves in any SQL database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.flows.paged import Paged, Record, plan_of
from tests.flows.running import run
from tests.support.databases import engine_of

from astrio.tasks.unchanged import known


def page(number: int, name: str, key: str | None = None) -> list[Record]:
    """Return three records; with `key`, their ids are texts that begin so."""
    ids: list[Any] = [3 * number + place for place in range(3)]
    return [{"id": each if key is None else f"{key}{each}", "name": name} for each in ids]


class UnchangedContract:
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    @pytest.fixture
    def api(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paged]:
        monkeypatch.setattr(known, "VERIFIED", 2**40)
        with Paged([page(0, "a"), page(1, "b"), page(2, "c")]).serving() as served:
            yield served

    @pytest.fixture
    def database(self, url: str) -> Iterator[Engine]:
        engine = engine_of(url)
        yield engine
        engine.dispose()

    def rows(self, database: Engine) -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            found = connection.execute(text("SELECT id, name FROM items ORDER BY id"))
            rows = [tuple(row) for row in found]
        database.dispose()  # DuckDB lets one process at a time have a file
        return rows

    def execute(self, database: Engine, statement: str) -> None:
        with database.begin() as connection:
            connection.execute(text(statement))
        database.dispose()

    def test_only_what_has_changed_is_looked_at(
        self, api: Paged, url: str, database: Engine
    ) -> None:
        plan = plan_of(api.server.url, url)
        assert run(plan).records.written == 9
        assert run(plan).pages_skipped == 3
        api.pages[1][0]["name"] = "new"
        report = run(plan)
        assert (report.records.written, report.records.unchanged) == (1, 8)
        assert report.pages_skipped == 2
        assert (3, "new") in self.rows(database)
        api.pages[1][0]["name"] = "b"
        assert run(plan).records.written == 1
        assert (3, "b") in self.rows(database)

    def test_a_key_on_two_pages_ends_as_the_last_of_them_says(
        self, api: Paged, url: str, database: Engine
    ) -> None:
        plan = plan_of(api.server.url, url)
        run(plan)
        api.pages[0] = [{"id": 8, "name": "other"}]
        for _ in range(3):
            run(plan)
            assert self.rows(database)[8] == (8, "c")
        api.pages[2] = [{"id": 1, "name": "other"}]
        run(plan)
        assert (1, "other") in self.rows(database)

    def test_texts_as_keys_are_told_apart(self, api: Paged, url: str, database: Engine) -> None:
        api.pages = [page(number, "x", "käse ") for number in range(4)]
        plan = plan_of(api.server.url, url)
        run(plan)
        api.pages[2] = page(2, "y", "käse ")
        report = run(plan)
        assert (report.records.written, report.pages_skipped) == (3, 3)
        assert run(plan).pages_skipped == 4
        assert len(self.rows(database)) == 12

    @pytest.mark.parametrize("statement", ["DELETE FROM items WHERE id = 4", "DROP TABLE items"])
    def test_a_table_that_lacks_rows_is_filled_again(
        self, api: Paged, url: str, database: Engine, statement: str
    ) -> None:
        plan = plan_of(api.server.url, url)
        run(plan)
        self.execute(database, statement)
        assert run(plan).pages_skipped == 0
        assert len(self.rows(database)) == 9
        assert run(plan).pages_skipped == 3

    def test_another_stream_s_writes_are_noticed(
        self, api: Paged, url: str, database: Engine
    ) -> None:
        plan, other = plan_of(api.server.url, url), plan_of(api.server.url, url, name="other")
        run(plan)
        kept, api.pages = api.pages, [page(1, "theirs")]
        run(other)
        api.pages = kept
        assert run(plan).records.written == 3
        assert (4, "b") in self.rows(database)
        assert run(plan).pages_skipped == 3

    def test_a_column_that_changes_its_type_lets_all_be_compared(
        self, api: Paged, url: str, database: Engine
    ) -> None:
        for number, records in enumerate(api.pages):
            records[0]["size"] = number
        plan = plan_of(api.server.url, url)
        run(plan)
        api.pages[0][0]["size"] = "large"
        assert run(plan).pages_skipped == 2
        assert run(plan).pages_skipped == 0
        assert run(plan).pages_skipped == 3
        assert len(self.rows(database)) == 9

    def test_a_dry_run_foretells_it(self, api: Paged, url: str, database: Engine) -> None:
        plan = plan_of(api.server.url, url)
        run(plan)
        api.pages[2][1]["name"] = "new"
        foretold, report = run(plan, dry_run=True), run(plan)
        assert foretold.records == report.records
        assert foretold.difference is not None
        assert (foretold.difference.changed, foretold.difference.unchanged) == (1, 8)
        assert (7, "new") in self.rows(database)
