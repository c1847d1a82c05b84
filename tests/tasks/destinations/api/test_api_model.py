"""Random changes and faults against a model of what an honest push has brought about.

A record's content is carried out once for each time that it changed; in the end the API holds what
the source holds, and each run accounts for every record.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.flows.running import run
from tests.support.server import answer, serve
from tests.support.strict_api import StrictApi
from tests.tasks.destinations.api.pushing import api, integration, upsert

from astrio.blocks.errors import AstrioError
from astrio.flows.integration import Integration

KEYS = st.integers(0, 5)
FAULTS = st.sampled_from(["refuse", "lost before", "lost after", "fails", "busy", "down"])
STEP = st.fixed_dictionaries(
    {
        "changes": st.lists(st.tuples(KEYS, st.sampled_from("abc")), max_size=8),
        "faults": st.dictionaries(KEYS, FAULTS, max_size=3),
    }
)
WAYS: dict[str, dict[str, Any]] = {
    "keyed": {"request": {"path": "/c", "idempotency_key": True}},
    "looked up": {
        "lookup": {
            "path": "/c",
            "params": {"id": "{{id}}", "name": "{{name}}"},
            "found": "count(results) > 0",
        }
    },
    "put": {"request": {"method": "PUT", "path": "/c"}},
    "plain": {},
    "put in batches": {"request": {"method": "PUT", "path": "/c"}, "batch": 3},
    "batches": {"request": {"path": "/c", "idempotency_key": True}, "batch": 3},
}


@dataclass
class World:
    """What the source holds, and the API that each content should reach once.

    Attributes:
        records: the source's, by key.
        faults: what happens the first time that a record arrives.
    """

    records: dict[int, str] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    crm: StrictApi = field(default_factory=StrictApi)
    serial: Any = field(default_factory=count)

    def source(self) -> list[dict[str, Any]]:
        return [{"id": key, "name": name} for key, name in sorted(self.records.items())]

    def change(self, key: int, name: str) -> None:
        self.records[key] = f"{name}{next(self.serial)}"

    def before(self, request: web.Request, body: Any) -> Any:
        kinds = {"lost before", "fails", "busy", "down"}
        known = request.headers.get("Idempotency-Key") in self.crm.by_key
        return self.meet(request, body, kinds if known else kinds | {"refuse"})

    def after(self, request: web.Request, body: Any) -> Any:
        return self.meet(request, body, {"lost after"})

    def meet(self, request: web.Request, body: Any, kinds: set[str]) -> Any:
        if request.method == "GET":
            return None
        for item in body if isinstance(body, list) else [body]:
            fault = self.faults.get(item["id"])
            if fault in kinds:
                del self.faults[item["id"]]
                return _happens(fault, request)
        return None


def _happens(fault: str, request: web.Request) -> Any:
    if fault.startswith("lost"):
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    status = {"refuse": 422, "fails": 500, "busy": 429, "down": 503}[fault]
    return answer({"message": fault}, status)


def attempt(plan: Integration) -> None:
    """Run; a run may fail, but never lose count of its records."""
    with suppress(AstrioError):
        assert run(plan).records.balanced


def play(steps: list[dict[str, Any]], way: str) -> World:
    world = World()
    world.crm.before, world.crm.after = world.before, world.after
    with serve(lambda _: world.source()) as source, serve(world.crm) as server:
        plan = integration(source, api(server.url, **WAYS[way]), max_rejected="100%", **upsert())
        for step in steps:
            for key, name in step["changes"]:
                world.change(key, name)
            world.faults = dict(step["faults"])
            attempt(plan)
        world.faults.clear()
        attempt(plan)
    return world


def holds(way: str, steps: list[dict[str, Any]], fresh_home: Callable[[], None]) -> None:
    fresh_home()
    world = play(steps, way)
    effects = [(each["id"], each["name"]) for each in world.crm.effects]
    if "put" not in way:
        assert len(set(effects)) == len(effects), "a content was carried out twice"
    if way not in ("plain", "batches"):  # there, what stays unknown is told, and left alone
        assert dict(effects) == world.records
    assert world.crm.misused == []


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    homes = count()
    return lambda: monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / f"home-{next(homes)}"))


QUICK = settings(
    max_examples=4,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a world is too slow to be made smaller
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STEPS = st.lists(STEP, min_size=1, max_size=3)


REFUSED_IN_BETWEEN = [
    {"changes": [(1, "a"), (0, "b")], "faults": {1: "refuse", 0: "lost after"}},
    {"changes": [], "faults": {0: "busy"}},
]
"""What may have been carried out is sent again, and the API is too busy to look at it."""


@pytest.mark.parametrize("way", WAYS)
@example(steps=REFUSED_IN_BETWEEN)
@given(steps=STEPS)
@QUICK
def test_each_content_is_carried_out_once(
    way: str, steps: list[dict[str, Any]], fresh_home: Callable[[], None]
) -> None:
    holds(way, steps, fresh_home)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@given(steps=st.lists(STEP, min_size=1, max_size=5))
@settings(parent=QUICK, max_examples=60)
def test_each_content_is_carried_out_once_in_many_worlds(
    way: str, steps: list[dict[str, Any]], fresh_home: Callable[[], None]
) -> None:
    holds(way, steps, fresh_home)
