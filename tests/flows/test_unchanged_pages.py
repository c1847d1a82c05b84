"""`push.unchanged: skip`: what a run passes over, what it looks at, and what it says of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.flows.killing import kill
from tests.flows.paged import Paged, plan_of
from tests.flows.running import failed_run, last_report, query, run
from tests.flows.test_dry_run_model import SAME

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.unchanged_pages import CLOCK, obstacles
from astrio.tasks.mapping import functions
from astrio.tasks.unchanged import known

NAMES = "SELECT id, name FROM items ORDER BY id"


def pages_of(*names: str) -> list[list[dict[str, Any]]]:
    """Return a page of three records for each name."""
    return [
        [{"id": 3 * page + place, "name": name} for place in range(3)]
        for page, name in enumerate(names)
    ]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paged]:
    """An API of four pages, none of which is ever compared for the sake of certainty."""
    monkeypatch.setattr(known, "VERIFIED", 2**40)
    with Paged(pages_of("a", "b", "c", "d")).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


@pytest.fixture
def plan(api: Paged, database: Path) -> Integration:
    return plan_of(api.server.url, f"sqlite:///{database}")


def figures(plan: Integration, **options: Any) -> tuple[int, int, int]:
    """Return how many records a run has written and found unchanged, and pages skipped."""
    report = run(plan, **options)
    assert report.records.balanced
    return report.records.written, report.records.unchanged, report.pages_skipped


def test_pages_that_have_not_changed_are_skipped_and_counted(
    plan: Integration, database: Path
) -> None:
    assert figures(plan) == (12, 0, 0)
    assert figures(plan) == (0, 12, 4)
    report = last_report(database)
    assert (report.pages, report.pages_skipped) == (4, 4)
    assert report.profiled.records == 0
    assert not report.profiled.whole


def test_only_the_page_that_has_changed_is_looked_at(
    api: Paged, plan: Integration, database: Path
) -> None:
    run(plan)
    api.pages[1][2] = {"id": 5, "name": "new"}
    assert figures(plan) == (1, 11, 3)
    assert (5, "new") in query(database, NAMES)
    assert figures(plan) == (0, 12, 4)


def test_what_was_and_is_again_is_written_again(
    api: Paged, plan: Integration, database: Path
) -> None:
    run(plan)
    first = api.pages[0]
    for name in ("other", "a", "other", "a"):
        api.pages[0] = [{**record, "name": name} for record in first]
        assert figures(plan) == (3, 9, 3)
        assert query(database, NAMES)[0] == (0, name)


def test_a_page_after_one_that_has_changed_its_rows_is_written_over_that(
    api: Paged, plan: Integration, database: Path
) -> None:
    run(plan)
    api.pages[0] = [{"id": 9, "name": "other"}, *api.pages[0]]
    for _ in range(3):  # page 4 holds record 9, too, and the last one wins
        assert figures(plan)[0] == 2
        assert query(database, NAMES)[9] == (9, "d")


def test_a_page_before_one_that_has_changed_its_rows_is_known_no_more(
    api: Paged, plan: Integration, database: Path
) -> None:
    run(plan)
    api.pages[3] = [{"id": 0, "name": "other"}]
    assert figures(plan) == (1, 9, 3)
    del api.pages[3]
    assert figures(plan) == (1, 8, 2)
    assert query(database, NAMES)[0] == (0, "a")


def test_a_full_refresh_looks_at_every_page_and_mends_the_table(
    plan: Integration, database: Path
) -> None:
    run(plan)
    change(database, "UPDATE items SET name = 'by hand' WHERE id = 4")
    assert figures(plan) == (0, 12, 4)
    assert figures(plan, full_refresh=True) == (1, 11, 0)
    assert query(database, NAMES)[4] == (4, "b")
    assert figures(plan) == (0, 12, 4)


def test_a_part_of_the_known_pages_is_compared_each_time(
    plan: Integration, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "VERIFIED", 3)
    run(plan)
    change(database, "UPDATE items SET name = 'by hand'")
    reports = [run(plan) for _ in range(6)]
    assert [name for _, name in query(database, NAMES)] == list("aaabbbcccddd")
    assert any("something else writes to the table" in str(each.warnings) for each in reports)
    assert figures(plan)[0] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM items WHERE id = 4",
        "DELETE FROM items",
        "DROP TABLE items",
        "ALTER TABLE items DROP COLUMN name",
        "INSERT INTO items VALUES (99, 'by hand', NULL)",
    ],
)
def test_a_table_that_is_not_as_it_was_left_is_compared(
    plan: Integration, database: Path, statement: str
) -> None:
    run(plan)
    change(database, statement)
    assert run(plan).pages_skipped == 0
    assert [row for row in query(database, NAMES) if row[0] < 99] == [
        (place, "abcd"[place // 3]) for place in range(12)
    ]
    assert figures(plan) == (0, 12, 4)


def test_nothing_is_skipped_after_another_integration_has_written_to_the_table(
    api: Paged, plan: Integration, database: Path
) -> None:
    other = plan_of(api.server.url, f"sqlite:///{database}", name="other")
    run(plan)
    kept, api.pages = api.pages, [[{"id": 4, "name": "theirs"}]]
    run(other)
    api.pages = kept
    assert figures(plan) == (1, 11, 0)
    assert figures(plan) == (0, 12, 4)


def test_a_table_with_a_like_name_is_another_one(api: Paged, database: Path) -> None:
    url = f"sqlite:///{database}"
    mine = plan_of(api.server.url, url, push={"table": "items"})
    other = plan_of(api.server.url, url, name="other", push={"table": "old_items"})
    assert [figures(mine), figures(other), figures(mine)] == [(12, 0, 0), (12, 0, 0), (0, 12, 4)]


@pytest.mark.parametrize(
    "changes",
    [
        {"map": {"id": "id", "name": "upper(name)", "size": "size"}},
        {"validate": [{"field": "name", "required": True}]},
        {"source": {"filter": "id >= 0"}},
        {"push": {"contract": "freeze"}},
    ],
)
def test_another_mapping_or_rule_lets_everything_be_compared(
    api: Paged, plan: Integration, database: Path, changes: dict[str, Any]
) -> None:
    run(plan)
    other = plan_of(api.server.url, f"sqlite:///{database}", **changes)
    assert run(other).pages_skipped == 0
    assert figures(other) == (0, 12, 4)


def test_a_run_that_compares_in_between_is_noticed(
    api: Paged, plan: Integration, database: Path
) -> None:
    run(plan)
    compare = plan_of(api.server.url, f"sqlite:///{database}", push={"unchanged": "compare"})
    assert figures(compare) == (0, 12, 0)
    assert figures(plan) == (0, 12, 0)
    assert figures(plan) == (0, 12, 4)


def test_a_page_with_a_rejected_record_is_looked_at_each_time(api: Paged, database: Path) -> None:
    rules = [{"field": "name", "required": True}]
    plan = plan_of(api.server.url, f"sqlite:///{database}", validate=rules)
    api.pages[1][0]["name"] = None
    for seen in (1, 2, 3):
        report = run(plan)
        assert report.records.rejected == 1
        assert query(database, "SELECT seen FROM _astrio_quarantine") == [(seen,)]
        assert report.pages_skipped == (0 if seen == 1 else 3)


def test_a_page_with_a_warning_is_looked_at_each_time(api: Paged, database: Path) -> None:
    rules = [{"field": "name", "in": ["a", "b", "c"], "severity": "warning"}]
    plan = plan_of(api.server.url, f"sqlite:///{database}", validate=rules)
    for skipped in (0, 3, 3):
        report = run(plan)
        assert (report.pages_skipped, len(report.warnings)) == (skipped, 1)


def test_filtered_records_of_skipped_pages_are_counted_as_filtered(
    api: Paged, database: Path
) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}", source={"filter": "id != 4"})
    run(plan)
    report = run(plan)
    assert (report.records.filtered, report.records.unchanged) == (1, 11)
    assert report.pages_skipped == 4


def test_a_record_that_is_mended_on_another_page_leaves_the_quarantine(
    api: Paged, database: Path
) -> None:
    rules = [{"field": "name", "required": True}]
    plan = plan_of(api.server.url, f"sqlite:///{database}", validate=rules)
    run(plan)
    api.pages.insert(0, [{"id": 4, "name": None}])
    assert run(plan).pages_skipped == 3  # all but the one that holds record 4, too
    del api.pages[0]
    assert run(plan).pages_skipped == 3
    assert query(database, "SELECT state FROM _astrio_quarantine") == [("resolved",)]


def test_a_dry_run_foretells_what_is_skipped(api: Paged, plan: Integration, database: Path) -> None:
    run(plan)
    api.pages[2][0]["name"] = "new"
    before = database.read_bytes()
    foretold = run(plan, dry_run=True)
    assert database.read_bytes() == before
    report = run(plan)
    assert foretold.model_dump(exclude=SAME) == report.model_dump(exclude=SAME)
    assert foretold.pages_skipped == 3
    assert foretold.difference is not None
    assert (foretold.difference.changed, foretold.difference.unchanged) == (1, 11)


def test_a_run_that_failed_lets_the_next_ones_compare(api: Paged, plan: Integration) -> None:
    run(plan)
    api.fault = 2
    failed_run(plan)
    api.fault = None
    assert run(plan).records.fetched == 12  # it goes on where the other has stopped
    assert figures(plan) == (0, 12, 0)
    assert figures(plan) == (0, 12, 4)


def test_a_limited_run_lets_the_next_one_compare(plan: Integration) -> None:
    run(plan)
    assert run(plan, limit=4).pages_skipped == 0
    assert figures(plan) == (0, 12, 0)


def test_a_source_that_repeats_its_pages_is_still_found_out(api: Paged, database: Path) -> None:
    source = {"paginate": {"type": "cursor", "param": "cursor", "next": "$.data.next"}}
    plan = plan_of(api.server.url, f"sqlite:///{database}", source=source)
    run(plan)
    for place in (2, 0):  # the page before, and the first
        api.pages = [*pages_of("a", "b", "c"), pages_of("a", "b", "c")[place]]
        assert "same records as page" in failed_run(plan).message
        api.pages = pages_of("a", "b", "c", "d")
        run(plan)
        run(plan)


def test_pages_of_offsets_are_counted_though_they_are_not_read(api: Paged, database: Path) -> None:
    source = {"paginate": {"type": "cursor", "param": "cursor", "next": "$.data.next"}}
    source["paginate"] |= {"total": "$.total"}
    plan = plan_of(api.server.url, f"sqlite:///{database}", source=source)
    run(plan)
    report = run(plan)
    assert (report.records.claimed, report.records.fetched) == (12, 12)
    assert report.pages_skipped == 4


def test_a_field_that_is_on_skipped_pages_alone_has_not_vanished(
    api: Paged, plan: Integration
) -> None:
    api.pages = [
        [{"id": 50 * page + place, "name": "x", "size": page * place} for place in range(50)]
        for page in range(3)
    ]
    run(plan)
    api.pages[1] = [{**record, "name": None} for record in api.pages[1]]
    report = run(plan)
    assert (report.pages_skipped, report.warnings) == (2, [])
    for record in api.pages[1]:
        record["name"] = 7
    assert "name changed from text to number" in str(run(plan, dry_run=True).warnings)


def test_texts_as_keys_are_told_apart(api: Paged, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}", map={"id": "name", "name": "id"})
    api.pages = [[{"name": f"{page}-{place}", "id": 1} for place in range(3)] for page in range(4)]
    run(plan)
    api.pages[1][1]["id"] = 2
    assert figures(plan) == (1, 11, 3)
    assert figures(plan) == (0, 12, 4)


def test_keys_that_the_table_may_compare_otherwise_let_all_be_forgotten(
    api: Paged, database: Path
) -> None:
    change(database, "CREATE TABLE items (id TEXT COLLATE NOCASE PRIMARY KEY, name, size)")
    plan = plan_of(api.server.url, f"sqlite:///{database}", map={"id": "name", "name": "id"})
    api.pages = [[{"name": name, "id": place}] for place, name in enumerate("bcd")]
    run(plan)
    assert figures(plan) == (0, 3, 3)
    api.pages.append([{"name": "B", "id": 9}])
    assert figures(plan) == (1, 3, 3)
    assert figures(plan) == (2, 2, 0)  # as where all is compared: `b` and `B` are the same row


@pytest.mark.parametrize("key", ["size", "name"])
def test_a_key_of_several_or_other_types_is_no_hindrance(
    api: Paged, database: Path, key: str
) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}", push={"key": ["id", key]})
    api.pages = [
        [{"id": page, "name": f"n{place}", "size": place / 2} for place in range(3)]
        for page in range(3)
    ]
    run(plan)
    assert figures(plan) == (0, 9, 3)
    api.pages[0][0]["id"] = 7
    run(plan)
    assert query(database, "SELECT count(*) FROM items") == [(10,)]


POINTS = [
    ("destination:SqlDestination.commit", "before", 1),
    ("destination:SqlDestination.commit", "after", 1),
    ("pages:Pages.close", "before", 1),
    ("pages:Pages.close", "after", 1),
    ("destination:SqlDestination.finish", "after", 1),
]


def kill_and_run_again(
    api: Paged, plan: Integration, database: Path, point: str, place: str, number: int
) -> None:
    """Kill a run that changes two pages; the next ones leave the table as the source is."""
    run(plan)
    api.pages[0][0]["name"] = "new"
    api.pages[3] = [{"id": 4, "name": "last"}]
    kill(plan, point, place, number)
    api.pages[0][0]["name"] = "a"
    for _ in range(2):
        report = run(plan)
        assert report.records.balanced
    rows = dict(query(database, NAMES))
    assert (rows[0], rows[4]) == ("a", "last")
    assert len(rows) == 12


def test_what_a_killed_run_has_done_is_never_taken_for_granted(
    api: Paged, plan: Integration, database: Path
) -> None:
    kill_and_run_again(api, plan, database, "pages:Pages.close", "after", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "place", "number"), POINTS)
def test_killed_at_every_point(
    api: Paged, plan: Integration, database: Path, point: str, place: str, number: int
) -> None:
    kill_and_run_again(api, plan, database, point, place, number)


def test_an_integration_that_cannot_skip_is_refused_where_no_file_was_checked(
    api: Paged, database: Path
) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}", map={"id": "id", "at": "now()"})
    with pytest.raises(ConfigurationError, match=r"\(map.at\): now\(\) gives another value"):
        run(plan)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"map": {"id": "id", "x": "lookup(id, 'countries.csv')"}}, ("map", "x")),
        ({"validate": [{"field": "id", "exists_in": "ids.csv"}]}, ("validate", 0)),
        ({"validate": [{"field": "id", "validator": "unique"}]}, ("validate", 0)),
        ({"validate": "models:Item"}, ("validate",)),
        ({"transform": "rows:row", "map": None}, ("transform",)),
        ({"push": {"mode": "history"}}, ("push", "mode")),
        ({"push": {"children": {"size": "sizes"}}}, ("push", "children")),
        ({"push": {"deleted": "at < now()"}}, ("push", "deleted")),
    ],
)
def test_what_makes_skipping_impossible_is_named(
    changes: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    plan = plan_of("https://api.example.com", "sqlite:///items.db", **changes)
    assert [each.path for each in obstacles(plan)] == [path]


def test_a_table_of_lookup_in_the_file_is_no_obstacle() -> None:
    mapping = {"id": "id", "x": "lookup(id, {'1': 'one'}, 'other')", "y": "parse_date(at, '%Y')"}
    plan = plan_of("https://api.example.com", "sqlite:///items.db", map=mapping)
    assert list(obstacles(plan)) == []


def test_every_function_that_asks_for_the_time_is_known() -> None:
    [folder] = functions.__path__
    asking = {
        file.stem
        for file in Path(folder).glob("*.py")
        if "context.now" in (text := file.read_text()) or "context.today" in text
    }
    assert asking == CLOCK


def change(database: Path, statement: str) -> None:
    """Change the database behind astrio's back."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)
