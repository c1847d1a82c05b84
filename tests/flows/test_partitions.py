"""Partitions of one integration: a flow run, a watermark and a lease for each; one report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from tests.flows.backfills import heard, record, sqlite_url
from tests.flows.running import query
from tests.support.server import Server, answer, serve

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.partitioning import PartitionSettings, partitions_of
from astrio.flows.partitions import as_partition, refuse_partitions
from astrio.tasks.options import BackfillOptions, RunOptions
from astrio.tasks.report import RunReport

NOW = datetime(2026, 3, 15, tzinfo=UTC)
STORES = {"a": 5, "b": 7, "c/1": 3}


def names(over: dict[str, Any], **more: Any) -> list[str]:
    return list(partitions_of(PartitionSettings.model_validate({"over": over, **more}), NOW))


def test_there_is_a_partition_for_each_combination_of_values() -> None:
    found = names({"store": ["a", 2], "kind": ["x", "y"]})
    assert found == ["store=a, kind=x", "store=a, kind=y", "store=2, kind=x", "store=2, kind=y"]


def test_months_run_from_the_first_to_the_last_or_to_now() -> None:
    assert names({"month": {"first": "2025-12", "last": "2026-01"}}) == [
        "month=2025-12",
        "month=2026-01",
    ]
    assert names({"month": {"first": "2026-02"}}) == ["month=2026-02", "month=2026-03"]


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({}, "at least 1 item"),
        ({"store": []}, "needs values"),
        ({"store": ["a", ""]}, "none of them empty"),
        ({"store": [1, "1"]}, "names a value twice"),
        ({"the store": ["a"]}, "cannot be the name"),
        ({"parent": ["a"]}, "cannot be the name"),
        ({"month": {"first": "2026-13"}}, "pattern"),
    ],
)
def test_values_that_cannot_be_partitions_are_refused(over: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PartitionSettings.model_validate({"over": over})


@pytest.mark.parametrize(
    "over",
    [
        {"month": {"first": "2026-05", "last": "2026-04"}},
        {"one": list(range(200)), "other": list(range(200))},
    ],
)
def test_no_partition_or_too_many_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 10,000"):
        names(over)


@contextmanager
def shops(broken: set[str] | None = None) -> Iterator[Server]:
    """Serve the orders of each store, with the same numbers in each."""

    def orders(request: Any) -> Any:
        store = request.raw_path.split("/")[2].replace("%2F", "/")
        if broken and store in broken:
            return answer({"error": "no"}, 400)
        since, until = request.query.get("since", ""), request.query.get("until", "9999")
        found = [record(number) for number in range(STORES[store])]
        return {"items": [each for each in found if since <= each["updated_at"] < until]}

    with serve(orders) as server:
        yield server


def document(server: Server, folder: Path, **changes: Any) -> dict[str, Any]:
    incremental = {"cursor": "updated_at", "param": "since", "end_param": "until", "format": "iso"}
    push = {
        "to": {"url": sqlite_url(folder)},
        "table": "items",
        "mode": "upsert",
        "key": ["store", "id"],
    }
    return {
        "name": "items",
        "source": {
            "api": {"base_url": server.url},
            "request": {"path": "/stores/{{store}}/items"},
            "records": "$.items",
            "incremental": incremental,
        },
        "map": {"store": "partition.store", "id": "id", "updated_at": "updated_at"},
        "partitions": {"over": {"store": list(STORES)}},
        "push": push,
        "retry": {"max_retries": 0},
        **changes,
    }


def plan(server: Server, folder: Path, **changes: Any) -> Integration:
    return Integration.model_validate(document(server, folder, **changes))


async def synced(integration: Integration, **options: Any) -> RunReport:
    from astrio.flows.sync import sync

    return await sync(integration, RunOptions(**options))


def counts(folder: Path) -> dict[str, int]:
    rows = query(folder / "items.db", "SELECT store, count(*) FROM items GROUP BY store")
    return dict(rows)


def marks(folder: Path) -> list[tuple[Any, ...]]:
    sql = "SELECT stream, watermark FROM _astrio_checkpoint ORDER BY stream"
    return query(folder / "items.db", sql)


@pytest.mark.usefixtures("prefect_api", "home")
async def test_each_partition_is_a_flow_run_with_a_watermark_of_its_own(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client

    with shops() as server:
        first = await synced(plan(server, tmp_path))
        second = await synced(plan(server, tmp_path))
    assert counts(tmp_path) == STORES
    assert (first.records.fetched, first.records.written, first.state) == (15, 15, "completed")
    assert [(each.part, each.records.written) for each in first.parts] == [
        ("store=a", 5),
        ("store=b", 7),
        ("store=c/1", 3),
    ]
    assert (second.records.fetched, second.records.unchanged) == (3, 3)
    assert marks(tmp_path) == [
        ("items:items#store=a", '"2026-01-01T12:00:00Z"'),
        ("items:items#store=b", '"2026-01-01T18:00:00Z"'),
        ("items:items#store=c/1", '"2026-01-01T06:00:00Z"'),
    ]
    async with get_client() as client:
        run = await client.read_flow_run(UUID(first.parts[0].flow_run))
    assert run.name == "items store=a"
    assert "partition" in run.tags
    assert run.parameters["options"]["partition"] == "store=a"


@pytest.mark.usefixtures("prefect_api", "home")
async def test_a_partition_that_fails_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    with shops(broken={"a", "b"}) as server, heard() as reports:
        with pytest.raises(AstrioError, match=r"2 of 3 parts failed\. store=a: "):
            await synced(plan(server, tmp_path))
        alone = await synced(plan(server, tmp_path), partition="store=c/1")
    assert [each.state for each in reports[0].parts] == ["failed", "failed", "completed"]
    assert counts(tmp_path) == {"c/1": 3}
    assert (alone.part, alone.records.unchanged) == ("store=c/1", 1)


@pytest.mark.usefixtures("prefect_api", "home")
async def test_a_backfill_reads_the_range_of_every_partition(tmp_path: Path) -> None:
    from astrio.flows.backfill import backfill

    options = BackfillOptions(since="2026-01-01", until="2026-01-02", chunk="12h")
    with shops() as server:
        report = await backfill(plan(server, tmp_path), options)
        again = await backfill(plan(server, tmp_path), options)
        one = options.model_copy(update={"partition": "store=b", "again": True})
        alone = await backfill(plan(server, tmp_path), one)
    assert counts(tmp_path) == STORES
    assert report.records.written == 15
    assert [each.part for each in report.parts][:2] == [
        "store=a, 2026-01-01..2026-01-01T12:00:00Z",
        "store=a, 2026-01-01T12:00:00Z..2026-01-02",
    ]
    assert {each.state for each in again.parts} == {"done_before"}
    assert len(again.parts) == 6
    assert (len(alone.parts), alone.records.unchanged) == (2, 7)
    assert [mark for _, mark in marks(tmp_path) if mark] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"push": {"to": {"url": "sqlite:///x.db"}, "table": "items", "mode": "replace"}},
        {
            "push": {
                "to": {"url": "sqlite:///x.db"},
                "table": "items",
                "mode": "upsert",
                "key": ["id"],
                "vanished": "delete",
            }
        },
    ],
)
def test_partitions_that_would_harm_one_another_are_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    with shops() as server, pytest.raises(ConfigurationError, match="has partitions, and"):
        refuse_partitions(plan(server, tmp_path, **changes))


def test_an_unknown_partition_is_told_with_what_may_be_meant(tmp_path: Path) -> None:
    with shops() as server:
        integration = plan(server, tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        as_partition(integration, "store=aa")
    assert "no partition 'store=aa'" in caught.value.message
    assert caught.value.advice == "Did you mean 'store=a'?"
    with pytest.raises(ConfigurationError) as caught:
        as_partition(integration.model_copy(update={"partitions": None}), "zzz")
    assert caught.value.advice == "It has: none."
