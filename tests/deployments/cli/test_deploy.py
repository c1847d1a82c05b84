"""`astrio deploy`: one deployment for each integration, on a real Prefect server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from tests.deployments.cli.cli import call, called
from tests.support.command import astrio
from tests.support.server import unused_url

FILE = """\
name: {name}
description: Orders of the shop.
tags: [shop, nightly]
vars: {{shop: acme}}
source:
  api: {{base_url: "https://shop.example.com", auth: {{type: bearer, token: "${{env:TOKEN}}"}}}}
  request: {{path: "/{{{{shop}}}}/orders"}}
validate: [{{field: id, required: true}}]
push: {{to: {{url: "sqlite:///orders.db"}}, table: orders}}
"""


@pytest.fixture(autouse=True)
def client(folder: Path, prefect_api: str) -> Iterator[SyncPrefectClient]:
    """The server, rid of what a test deployed."""
    with get_client(sync_client=True) as client:
        yield client
        for path, each in made(client):
            if path.is_relative_to(folder.parent):
                client.delete_deployment(each.id)


def made(client: SyncPrefectClient) -> list[tuple[Path, DeploymentResponse]]:
    return [
        (Path(str(each.labels["astrio.file"])), each)
        for each in client.read_deployments()
        if "astrio.file" in each.labels
    ]


def write(name: str, schedule: str = "", file: str = "") -> Path:
    path = Path(file or f"{name}.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILE.format(name=name) + (f"schedule: {schedule}\n" if schedule else ""))
    return path


def deployed(*words: str) -> dict[str, tuple[str, list[str]]]:
    """Deploy, and return what was done to each, and what had changed."""
    told = called("deploy", *words)["deployments"]
    return {each["integration"]: (each["action"], each["changed"]) for each in told}


def deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    return client.read_deployment_by_name(f"sync/{name}")


def schedule_of(client: SyncPrefectClient, name: str) -> DeploymentSchedule:
    [schedule] = deployment(client, name).schedules
    return schedule


def test_each_integration_of_a_folder_gets_its_deployment(client: SyncPrefectClient) -> None:
    write("orders", '"*/15 * * * *"')
    write("customers", "{every: 15m}", file="integrations/customers.yaml")
    write("events", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9")
    write("manual")
    result = call("deploy")
    assert result.exit_code == 0, result.stderr
    assert sorted(result.stdout.splitlines()) == [
        "customers: created, every 15m",
        "events: created, FREQ=WEEKLY;BYDAY=MO;BYHOUR=9",
        "manual: created, by hand",
        "orders: created, */15 * * * *",
    ]
    assert "`astrio up` runs them" in result.stderr
    orders = deployment(client, "orders")
    assert orders.entrypoint == "astrio.flows.sync.sync"
    assert orders.tags == ["shop", "nightly", "astrio"]
    assert "Orders of the shop." in str(orders.description)
    assert orders.global_concurrency_limit is not None
    assert orders.global_concurrency_limit.limit == 1
    integration = orders.parameters["integration"]
    assert integration["validate"][0]["field"] == "id"
    assert integration["source"]["api"]["auth"]["token"] == "${env:TOKEN}"
    kinds = {name: schedule_of(client, name).schedule for name in ("orders", "customers", "events")}
    assert [type(each).__name__ for each in kinds.values()] == [
        "CronSchedule",
        "IntervalSchedule",
        "RRuleSchedule",
    ]
    assert deployment(client, "manual").schedules == []


def test_the_second_time_nothing_changes(client: SyncPrefectClient) -> None:
    write("orders", "{every: 15m, timezone: Europe/Berlin, start: 2026-01-01}")
    write("events", "{rrule: 'FREQ=DAILY', active: false}")
    deployed()
    before = [each.model_dump() for _, each in made(client)]
    assert deployed() == {"orders": ("unchanged", []), "events": ("unchanged", [])}
    assert [each.model_dump() for _, each in made(client)] == before


def test_a_healing_schedule_stands_beside_the_usual_one_and_reads_everything(
    client: SyncPrefectClient,
) -> None:
    path = write("orders", "{every: 15m, heal: weekly}")
    assert call("deploy").stdout == "orders: created, every 15m, everything 0 0 * * 0\n"
    schedules = {each.slug: each for each in deployment(client, "orders").schedules}
    assert schedules.keys() == {"astrio", "astrio-heal"}
    assert schedules["astrio"].parameters == {}
    healing = schedules["astrio-heal"]
    assert healing.parameters == {"options": {"wait": True, "full_refresh": True}}
    assert deployed() == {"orders": ("unchanged", [])}
    path.write_text(path.read_text().replace("heal: weekly", "heal: 7d"))
    assert deployed() == {"orders": ("updated", ["integration", "schedule"])}
    path.write_text(path.read_text().replace(", heal: 7d", ""))
    assert deployed() == {"orders": ("updated", ["integration", "schedule"])}
    assert schedule_of(client, "orders").slug == "astrio"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("description: Orders of", "description: All of", ["description", "integration"]),
        ("[shop, nightly]", "[shop]", ["tags", "integration"]),
        ("@hourly", "@daily", ["integration", "schedule"]),
        ("table: orders", "table: other", ["integration"]),
    ],
)
def test_only_what_differs_is_updated(
    client: SyncPrefectClient, old: str, new: str, changed: list[str]
) -> None:
    path = write("orders", '"@hourly"')
    deployed()
    before = deployment(client, "orders")
    path.write_text(path.read_text().replace(old, new))
    assert deployed("--dry-run")["orders"][0] == "updated"
    assert deployment(client, "orders") == before
    action, told = deployed()["orders"]
    assert (action, set(told)) == ("updated", set(changed))
    assert deployment(client, "orders").id == before.id
    assert deployed()["orders"] == ("unchanged", [])


def test_someones_pause_and_added_schedule_outlive_a_deploying(
    client: SyncPrefectClient,
) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    path = write("orders", '"@hourly"')
    deployed()
    found = deployment(client, "orders")
    client.request(
        "PATCH",
        "/deployments/{id}/schedules/{schedule_id}",
        path_params={"id": found.id, "schedule_id": found.schedules[0].id},
        json={"active": False},
    )
    client.create_deployment_schedules(found.id, [(CronSchedule(cron="5 5 * * *"), True)])
    path.write_text(path.read_text().replace("Orders of", "All orders of"))
    assert deployed()["orders"][0] == "updated"
    after = deployment(client, "orders").schedules
    assert {(each.slug, each.active) for each in after} == {("astrio", False), (None, True)}


def test_what_webhooks_feed_has_no_deployment_and_is_told(client: SyncPrefectClient) -> None:
    write("orders")
    Path("events.yaml").write_text(
        "name: shop-events\n"
        "source: {webhook: {scheme: svix, secret: '${env:SHOP_SECRET}'}}\n"
        "push: {to: {url: 'sqlite:///events.db'}, table: events}\n"
    )
    result = call("deploy")
    assert (result.exit_code, result.stdout) == (0, "orders: created, by hand\n")
    assert "shop-events: webhooks run it" in result.stderr
    assert [each.name for _, each in made(client)] == ["orders"]


def test_prune_removes_exactly_what_is_gone(client: SyncPrefectClient, folder: Path) -> None:
    write("orders")
    gone = write("customers")
    write("other", file="../elsewhere/other.yaml")
    deployed()
    deployed("../elsewhere")
    gone.unlink()
    result = call("deploy")
    assert "customers: its integration is gone; --prune deletes" in result.stderr
    assert "customers: would be deleted" in call("deploy", "--prune", "--dry-run").stdout
    names = {each.name for path, each in made(client) if path.is_relative_to(folder.parent)}
    assert names == {"orders", "customers", "other"}
    assert "customers: deleted" in call("deploy", "--prune").stdout
    names = {each.name for path, each in made(client) if path.is_relative_to(folder.parent)}
    assert names == {"orders", "other"}
    assert called("deploy", "--prune")["gone"] == []


def test_a_renamed_integration_leaves_its_old_name_behind(client: SyncPrefectClient) -> None:
    path = write("orders")
    deployed()
    path.write_text(path.read_text().replace("name: orders", "name: new-orders"))
    told = called("deploy", "orders.yaml", "--prune")
    assert [each["integration"] for each in told["deployments"]] == ["new-orders"]
    assert [each["integration"] for each in told["gone"]] == ["orders"]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"${env:TOKEN}"', "s3cret-literal", "6:75: a secret is written out in `source.api.auth"),
        ("sqlite:///orders.db", "postgresql://a:s3cret@h/d", "9:18: a secret is written out in"),
        ("tags: [shop, nightly]", "tgs: []", "3:1: unknown key `tgs`"),
    ],
)
def test_a_mistake_in_one_file_deploys_none(
    client: SyncPrefectClient, old: str, new: str, place: str, folder: Path
) -> None:
    write("orders")
    path = write("customers")
    path.write_text(path.read_text().replace(old, new))
    result = call("deploy")
    assert result.exit_code == 2
    assert f"customers.yaml:{place}" in result.stderr
    assert "s3cret" not in result.output
    assert not [path for path, _ in made(client) if path.is_relative_to(folder)]


def test_two_files_of_one_name_are_told(folder: Path) -> None:
    write("orders", file="a.yaml")
    write("orders", file="b.yaml")
    result = call("deploy")
    assert (
        result.exit_code,
        "b.yaml:1:7: `orders` is the name of a.yaml too" in result.stderr,
    ) == (
        2,
        True,
    )


def test_a_name_that_belongs_to_another_file_is_refused(folder: Path) -> None:
    write("orders")
    deployed()
    write("orders", file="../elsewhere/orders.yaml")
    result = call("deploy", "../elsewhere")
    assert result.exit_code == 2
    assert f"belongs to {folder / 'orders.yaml'}" in result.stderr
    Path("orders.yaml").unlink()
    assert deployed("../elsewhere")["orders"] == ("updated", ["file"])
    shutil.rmtree("../elsewhere")


def test_a_work_pool_runs_it(client: SyncPrefectClient) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate

    path = write("orders")
    client.create_work_pool(WorkPoolCreate(name="pool-of-deploy", type="process"))
    told = call("deploy", "--pool", "pool-of-deploy")
    assert (told.exit_code, "orders.yaml:9:18: a worker runs" in told.stderr) == (2, True)
    path.write_text(path.read_text().replace("sqlite:///orders", "sqlite:////data/orders"))
    assert "There is no work pool nowhere" in call("deploy", "--pool", "nowhere").stderr
    assert deployed("--pool", "pool-of-deploy")["orders"][0] == "created"
    assert deployment(client, "orders").work_pool_name == "pool-of-deploy"
    assert deployed("--pool", "pool-of-deploy")["orders"][0] == "unchanged"
    folder = str(Path.cwd())
    assert [each.name for each in automations(client) if folder in each.name]
    assert deployed()["orders"] == ("updated", ["work pool"])
    assert deployment(client, "orders").work_pool_name is None
    assert "--queue names a queue of a work pool" in call("deploy", "--queue", "q").stderr


def automations(client: SyncPrefectClient) -> list[Any]:
    from prefect.events.schemas.automations import Automation

    found = client.request("POST", "/automations/filter", json={}).json()
    return [Automation.model_validate(each) for each in found]


def test_a_folder_without_integrations_is_told() -> None:
    result = call("deploy")
    assert (result.exit_code, "no integration file in this folder" in result.stderr) == (2, True)


def test_without_a_server_it_is_deployed_to_the_one_that_up_will_start(folder: Path) -> None:
    write("orders", "'@hourly'")
    for action in ("created", "unchanged"):
        ended = astrio("deploy", folder=folder)
        assert (ended.code, ended.out) == (0, f"orders: {action}, 0 * * * *\n")
        assert f"On the Prefect server of {folder / 'astrio-home'}" in ended.err


def test_a_server_that_is_down_is_told_with_its_address(folder: Path) -> None:
    write("orders")
    url = unused_url()
    ended = astrio("deploy", "--json", folder=folder, environment={"PREFECT_API_URL": url})
    assert ended.code == 1
    assert ended.json()["error"]["kind"] == "server"
    assert url in ended.err
