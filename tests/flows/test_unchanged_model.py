"""`push.unchanged: skip` leaves the table as `compare` does, whatever source and runs do."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.flows.paged import Paged, Record, plan_of
from tests.flows.running import query, run

from astrio.blocks.errors import AstrioError
from astrio.flows.integration import Integration
from astrio.tasks import pushing
from astrio.tasks.report import RunReport

ROWS: Final = "SELECT id, name, size FROM items ORDER BY id"
# Whether a rejected record is mended by one of its key in the same run depends on their chunks.
REJECTED: Final = "SELECT DISTINCT identity FROM _astrio_quarantine ORDER BY identity"
RECORD = st.fixed_dictionaries(
    {
        "id": st.integers(0, 9) | st.just(None),
        "name": st.sampled_from(["a", "b", "hidden"]) | st.none(),
    },
    optional={"size": st.integers(0, 1), "gone": st.just(True), "version": st.integers(0, 2)},
)
PAGE = st.lists(RECORD, max_size=3)
# Good pages, of which most runs are made: without them hardly any would be skipped.
GOOD: Final = [
    [{"id": 3 * page + place, "name": name, "size": 0} for place in range(3)]
    for page in range(3)
    for name in ("a", "b")
]
PAGES = st.lists(st.sampled_from(GOOD) | PAGE, min_size=1, max_size=5)
STEP = st.tuples(
    st.sampled_from(["keep", "keep", "edit", "anew", "shift"]),
    st.sampled_from(["run"] * 6 + ["fail", "limit", "refresh", "dry", "other", "by hand"]),
    PAGES,
    st.integers(0, 4),
)
once = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VERSIONED: Final = {"version": "version"}
DELETING: Final = {"deleted": {"when": "gone", "rows": "delete"}}
MARKING: Final = {"deleted": "gone"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paged]:
    monkeypatch.setattr(pushing, "CHUNK_ROWS", 4)
    monkeypatch.setattr(pushing, "CHUNK_SECONDS", 60.0)
    with Paged().serving() as served:
        yield served


class Sides:
    """The same source pushed to two databases: one that compares all, and one that skips."""

    def __init__(self, api: Paged, folder: Path, push: Record) -> None:
        self.files = [folder / "compare.db", folder / "skip.db"]
        more: dict[str, Any] = {
            "source": {"filter": "name != 'hidden'"},
            "validate": [{"field": "name", "required": True}],
            "max_rejected": "100%",
        }
        mapping = {"id": "id", "name": "name", "size": "size"}
        if "version" in push:
            mapping["version"] = "version"
        self.plans = [
            plan_of(
                api.server.url,
                f"sqlite:///{file}",
                push={**push, "unchanged": mode},
                map=mapping,
                **more,
            )
            for file, mode in zip(self.files, ["compare", "skip"], strict=True)
        ]
        self.others = [each.model_copy(update={"name": "other"}) for each in self.plans]

    def both(self, plans: list[Integration], **options: Any) -> list[RunReport | str]:
        """Run both, and return their reports, or the kinds of their errors."""
        return [_outcome(plan, **options) for plan in plans]

    def require_equal(self, reports: list[RunReport | str]) -> None:
        """Hold one side against the other."""
        compared, skipped = reports
        if isinstance(compared, RunReport) and isinstance(skipped, RunReport):
            assert skipped.records == compared.records
            assert skipped.records.balanced
            assert skipped.pages == compared.pages
            assert skipped.state == compared.state
            assert skipped.difference == compared.difference
            event(f"skipped: {bool(skipped.pages_skipped)}")
        else:
            assert skipped == compared
        for sql in (ROWS, REJECTED):
            one, other = (query(file, sql) for file in self.files)
            assert other == one


def _outcome(plan: Integration, **options: Any) -> RunReport | str:
    try:
        return run(plan, **options)
    except AstrioError as error:
        return error.kind


def changed(
    pages: list[list[Record]], how: str, anew: list[list[Record]], place: int
) -> list[list[Record]]:
    """Return the source's next state."""
    if how == "keep":
        return pages
    if how == "anew":
        return anew
    if how == "shift":  # a record at the top moves all others
        records = [anew[0][0]] if anew[0] else []
        records += [record for page in pages for record in page]
        return [records[at : at + 3] for at in range(0, len(records), 3)] or [[]]
    found = [*pages]
    found[place % len(found)] = anew[0]
    return found


def follow(api: Paged, steps: list[tuple[str, str, list[list[Record]], int]], push: Record) -> None:
    """Let the source change and both sides follow, step by step."""
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(api, Path(folder), push)
        api.pages, api.fault = [GOOD[0], GOOD[2], GOOD[4]], None
        sides.require_equal(sides.both(sides.plans))
        for how, kind, anew, place in steps:
            api.pages = changed(api.pages, how, anew, place)
            step(api, sides, kind, place)


def step(api: Paged, sides: Sides, kind: str, place: int) -> None:
    """Take one step: a run of some kind, and where it is none of the source's own, one after it."""
    options: dict[str, Any] = {}
    if kind == "fail":
        api.fault = place % len(api.pages)
    elif kind == "limit":
        options = {"limit": place + 1}
    elif kind == "refresh":
        options = {"full_refresh": True}
    elif kind == "dry":
        sides.require_equal(sides.both(sides.plans, dry_run=True))
    elif kind == "other":
        # Another integration sees other records, and writes to the same table.
        kept, api.pages = api.pages, [[{"id": place, "name": "other", "size": 7}]]
        sides.require_equal(sides.both(sides.others))
        api.pages = kept
    elif kind == "by hand":
        for file in sides.files:
            _delete(file, place)
    sides.require_equal(sides.both(sides.plans, **options))
    api.fault = None


def _delete(file: Path, place: int) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM items WHERE id = ?", (place,))


@once
@given(steps=st.lists(STEP, min_size=2, max_size=6))
def test_the_table_is_the_same_as_where_all_is_compared(
    api: Paged, steps: list[tuple[str, str, list[list[Record]], int]]
) -> None:
    follow(api, steps, {})


@pytest.mark.slow
@settings(once, max_examples=60)
@given(
    steps=st.lists(STEP, min_size=2, max_size=9),
    push=st.sampled_from([{}, VERSIONED, DELETING, MARKING]),
)
def test_the_table_is_the_same_at_length(
    api: Paged, steps: list[tuple[str, str, list[list[Record]], int]], push: Record
) -> None:
    follow(api, steps, push)
