"""Runs with `push.vanished` and `push.deleted`: a model of the table, crashes at named points."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flows.api import integration, record
from tests.flows.killing import kill
from tests.flows.running import Faulty, failed_run, last_report, query, run
from tests.flows.test_dry_run_model import SAME
from tests.flows.test_kill import Database
from tests.support.server import answer

from astrio.flows.integration import Integration

RECORDS = [record(number) for number in range(35)]
VISIBLE = "SELECT id FROM items WHERE _astrio_deleted_at IS NULL ORDER BY id"


def plan_of(
    url: str, database: str, changes: dict[str, Any] | None = None, **push: Any
) -> Integration:
    more = {"vanished": {"rows": "mark", "most": "60%"}} | push
    to = {"to": {"url": database}, "table": "items", "mode": "upsert", "key": ["id"], **more}
    return integration(url, Path("unused"), push=to, **(changes or {}))


@pytest.fixture
def api() -> Iterator[Faulty]:
    with Faulty(RECORDS).serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


def test_rows_that_the_source_has_no_more_are_marked(api: Faulty, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    run(plan)
    api.records = RECORDS[3:]
    report = run(plan)
    assert (report.records.unchanged, report.records.deleted) == (32, 3)
    assert report.records.balanced
    assert last_report(database) == report
    assert query(database, VISIBLE) == [(each,) for each in range(3, 35)]


@pytest.mark.parametrize("options", [{"limit": 20}, {"limit": 35}])
def test_a_run_with_a_limit_marks_nothing(
    api: Faulty, database: Path, options: dict[str, Any]
) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    run(plan)
    assert run(plan, **options).records.deleted == 0


def test_an_incremental_run_marks_nothing_and_a_full_refresh_does(
    api: Faulty, database: Path
) -> None:
    source = {"source": {"incremental": {"cursor": "updated_at", "param": "since"}}}
    plan = plan_of(api.server.url, f"sqlite:///{database}", source)
    run(plan)
    api.records = RECORDS[3:]
    assert run(plan).records.deleted == 0
    assert run(plan, full_refresh=True).records.deleted == 3


def test_a_failed_run_marks_nothing_and_the_resumed_one_knows_what_was_met(
    api: Faulty, database: Path
) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    run(plan)
    api.records, api.at, api.fault = RECORDS[3:], 20, lambda _: answer("broken", 404)
    failed_run(plan)
    assert len(query(database, VISIBLE)) == 35
    api.fault = None
    report = run(plan)
    assert (report.records.fetched, report.records.deleted, report.warnings) == (32, 3, [])


def test_too_many_fail_the_run_which_then_begins_anew(api: Faulty, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    run(plan)
    api.records = RECORDS[30:]
    error = failed_run(plan)
    assert (error.kind, "30 of 35 rows of items" in error.message) == ("vanished", True)
    kept = last_report(database)
    assert (kept.state, kept.records.deleted, kept.records.unchanged) == ("failed", 0, 5)
    api.records = RECORDS[:34]
    assert run(plan).records.deleted == 1


def test_an_empty_answer_fails_the_run(api: Faulty, database: Path) -> None:
    plan = plan_of(api.server.url, f"sqlite:///{database}")
    run(plan)
    api.records = []
    assert "all 35 rows" in failed_run(plan).message
    assert len(query(database, VISIBLE)) == 35


def test_records_that_tell_of_a_deletion_are_not_held_against_the_rules(
    api: Faulty, database: Path
) -> None:
    rules = {"validate": [{"field": "email", "required": True}]}
    push = {"vanished": "keep", "deleted": "removed"}
    plan = plan_of(api.server.url, f"sqlite:///{database}", rules, **push)
    run(plan)
    api.records = [{"id": 3, "removed": True, "updated_at": ""}, {"id": 4, "updated_at": ""}]
    report = run(plan)
    assert (report.records.written, report.records.deleted) == (1, 1)
    assert (report.records.rejected, report.state) == (1, "completed_with_rejects")
    assert len(query(database, VISIBLE)) == 34


SOURCES = st.lists(
    st.dictionaries(
        st.integers(0, 6),
        st.fixed_dictionaries(
            {"name": st.sampled_from(["a", "b", None])}, optional={"gone": st.booleans()}
        ),
        max_size=7,
    ),
    min_size=1,
    max_size=4,
)


FATES = st.sampled_from(["mark", "delete"])
MOST = st.sampled_from([1, "100%"])
once = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@once
@given(sources=SOURCES, fate=FATES, most=MOST)
def test_the_table_is_what_a_plain_model_says(
    api: Faulty, sources: list[dict[int, dict[str, Any]]], fate: str, most: Any
) -> None:
    follow(api, sources, fate, most)


@pytest.mark.slow
@settings(once, max_examples=60)
@given(sources=SOURCES, fate=FATES, most=MOST)
def test_the_table_is_what_a_plain_model_says_at_length(
    api: Faulty, sources: list[dict[int, dict[str, Any]]], fate: str, most: Any
) -> None:
    follow(api, sources, fate, most)


def follow(api: Faulty, sources: list[dict[int, dict[str, Any]]], fate: str, most: Any) -> None:
    """Run one source after the other: a record without a name is rejected."""
    api.size = 3
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "items.db"
        plan = plan_of(
            api.server.url,
            f"sqlite:///{database}",
            {
                "map": None,
                "max_rejected": "100%",
                "validate": [{"field": "name", "required": True}],
            },
            vanished={"rows": fate, "most": most},
            deleted={"when": "gone", "rows": fate},
        )
        model: dict[int, str] = {}
        for source in sources:
            api.records = [{"id": key, **value, "updated_at": ""} for key, value in source.items()]
            hold(plan, database, model, source, most)


def hold(
    plan: Integration,
    database: Path,
    model: dict[int, str],
    source: dict[int, dict[str, Any]],
    most: Any,
) -> None:
    """Run the plan dry and in earnest, and hold the table against the model, which goes along."""
    told = {key for key, value in source.items() if value.get("gone")}
    kept = {key: value["name"] for key, value in source.items() if key not in told}
    buried = len(told & model.keys())
    left = {key: name for key, name in model.items() if key not in told}
    left |= {key: name for key, name in kept.items() if name is not None}
    vanished = left.keys() - kept.keys() if model else set[int]()
    allowed = len(left) if most == "100%" else most
    fails = bool(vanished) and (len(vanished) > allowed or len(vanished) == len(left))
    model.clear()
    model |= left if fails else {key: left[key] for key in left if key not in vanished}
    if fails:
        assert failed_run(plan, dry_run=True).kind == failed_run(plan).kind == "vanished"
    else:
        foretold = run(plan, dry_run=True)
        report = run(plan)
        assert foretold.model_dump(exclude=SAME) == report.model_dump(exclude=SAME)
        assert foretold.difference is not None
        assert foretold.difference.removed == report.records.deleted == buried + len(vanished)
    names = {row[1] for row in query(database, "SELECT * FROM pragma_table_info('items')")}
    where = " WHERE _astrio_deleted_at IS NULL" if "_astrio_deleted_at" in names else ""
    assert dict(query(database, f"SELECT id, name FROM items{where}")) == model
    assert query(database, "SELECT name FROM sqlite_master WHERE name LIKE '%seen%'") == []


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, database: Path) -> str:
    found = f"sqlite:///{database}"
    return found if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


POINTS = [
    ("destination:SqlDestination.commit", "before", 2),
    ("destination:SqlDestination.commit", "after", 2),
    ("vanishing:Vanishing.ready", "after", 1),
    ("vanishing:Vanishing.close", "after", 1),
    ("vanishing:Vanishing.clean", "before", 1),
    ("vanishing:Vanishing.clean", "after", 1),
]


def kill_and_run_again(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    """Kill a run that has rows to mark, and let the next one end as if nothing had happened."""
    plan = plan_of(api.server.url, url)
    run(plan)
    api.records = [record(number, name="new") for number in range(3, 40)]
    kill(plan, point, place, number)
    report = run(plan)
    assert report.warnings == []
    ended = "clean" in point  # the run itself was over
    assert report.records.deleted == (0 if ended else 3)
    assert report.records.fetched == 37
    found = Database(url)
    shown = found.rows("SELECT count(*) FROM items WHERE _astrio_deleted_at IS NULL")
    assert (shown, found.rows("SELECT count(*) FROM items")) == ([(37,)], [(40,)])
    assert [name for name in found.tables() if "seen" in name] == []


def test_a_run_killed_while_it_marks_is_gone_on_with(api: Faulty, url: str) -> None:
    kill_and_run_again(api, url, "vanishing:Vanishing.close", "after", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("point", "place", "number"), POINTS)
def test_killed_at_every_point(api: Faulty, url: str, point: str, place: str, number: int) -> None:
    kill_and_run_again(api, url, point, place, number)
