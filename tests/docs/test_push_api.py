"""Every example of docs/push-api.md, checked and run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import run
from tests.support.server import Server, answer, serve

from astrio.deployments.cli.report import show_report
from astrio.flows.reading.read import check_file, read_integration
from astrio.tasks.destinations.opening import quarantine_rows

PAGE = (Path(__file__).parents[2] / "docs" / "push-api.md").read_text("utf-8")
EXAMPLES = {
    re.findall(r"# ([\w-]+)\.yaml", text)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
(SHOWN,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)
USERS: list[dict[str, Any]] = [
    {"id": number, "email": f"{name[0]}@Example.com", "name": name}
    for number, name in enumerate(("ada", "ben", "cleo"), 1)
]


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert not home.exists()
    monkeypatch.setenv("CRM_TOKEN", "a-token-of-the-crm")
    monkeypatch.setenv("DISCORD_HOOK", "a-hook")


@contextmanager
def example(name: str, source: Any, target: Any, folder: Path) -> Iterator[tuple[Any, Server]]:
    """Yield an example whose hosts are servers of our own."""
    file = folder / f"{name}.yaml"
    file.write_text(EXAMPLES[name], "utf-8")
    assert check_file(file) == []
    with serve(lambda _: source) as app, serve(target) as server:
        first, second = dict.fromkeys(re.findall(r"https://[a-z.]+", EXAMPLES[name]))
        text = EXAMPLES[name].replace(first, app.url).replace(second, server.url)
        file.write_text(text, "utf-8")
        yield read_integration(file).integration, server


def seen(server: Server) -> list[tuple[str, str, Any]]:
    return [(each.method, each.target, each.json()) for each in server.requests]


def contact(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "email": f"{name[0].lower()}@example.com", "name": name}


def test_contacts_are_posted_then_patched_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    users = [dict(each) for each in USERS[:2]]

    async def crm(request: web.Request) -> Any:
        return {"id": f"c{(await request.json())['id']}"}

    with example("contacts", users, crm, tmp_path) as (plan, server):
        run(plan)
        users[1]["name"] = "Ben"
        users.append(USERS[2])
        dry = run(plan, dry_run=True)
        assert len(server.requests) == 2
        run(plan)
        show_report(dry)
    assert seen(server) == [
        ("POST", "/contacts", contact(1, "ada")),
        ("POST", "/contacts", contact(2, "ben")),
        ("PATCH", "/contacts/c2", contact(2, "Ben")),
        ("POST", "/contacts", contact(3, "cleo")),
    ]
    keys = [each.headers.get("Idempotency-Key") for each in server.requests]
    assert keys[2] is None
    assert all(each.headers["Authorization"] for each in server.requests)
    printed = capsys.readouterr().out
    told = [
        line.split() for line in printed.replace(server.url, "https://crm.example.com").splitlines()
    ]
    assert [line for line in map(str.split, SHOWN.splitlines()[1:]) if line not in told] == []


async def elasticsearch(request: web.Request) -> Any:
    lines = [json.loads(line) for line in (await request.read()).splitlines()]
    return {"items": [{"index": {**each["index"], "status": 201}} for each in lines[::2]]}


def test_elasticsearch_takes_two_lines_for_each_document(tmp_path: Path) -> None:
    with example("people-index", USERS, elasticsearch, tmp_path) as (plan, server):
        assert run(plan).records.written == 3
    lines = [json.loads(line) for line in server.requests[0].body.splitlines()]
    assert lines[:2] == [{"index": {"_index": "people", "_id": 1}}, {"id": 1, "name": "ada"}]


def test_a_207_tells_which_contacts_have_failed(tmp_path: Path) -> None:
    failed = [{"message": "unsubscribed", "context": {"ids": ["b@example.com"]}}]
    hubspot = lambda _: answer({"errors": failed}, 207)  # noqa: E731 (a handler)
    with example("hubspot", USERS, hubspot, tmp_path) as (plan, server):
        report = run(plan)
    assert (report.records.written, report.records.failed) == (2, 1)
    assert quarantine_rows(plan.push, plan.name)[0]["reason"] == "unsubscribed"
    [(_, target, body)] = seen(server)
    assert target == "/crm/v3/objects/contacts/batch/upsert"
    assert body["inputs"][0] == {
        "idProperty": "email",
        "id": "a@example.com",
        "properties": {"email": "a@example.com", "firstname": "ada"},
    }


def test_an_invoice_whose_answer_is_lost_is_looked_up(tmp_path: Path) -> None:
    made: list[Any] = []

    async def books(request: web.Request) -> Any:
        if request.method == "GET":
            return {"results": [each for each in made if each["number"] == request.query["number"]]}
        made.append(await request.json())
        transport = request.transport
        assert transport is not None
        transport.close()
        return {}

    orders = [{"number": "A1", "total": 5}]
    with example("invoices", orders, books, tmp_path) as (plan, server):
        report = run(plan)
    assert report.records.written == 1
    assert [each.method for each in server.requests] == ["POST", "GET"]
    assert len(made) == 1


def test_a_message_is_sent_for_each_new_order(tmp_path: Path) -> None:
    orders = [{"total": 9.5, "created_at": "2026-01-01T00:00:00Z"}]
    with example("new-orders", orders, lambda _: {}, tmp_path) as (plan, server):
        run(plan)
        report = run(plan)
    [request] = server.requests
    assert report.records.written == 0
    assert request.target == "/api/webhooks/a-hook?wait=true"
    assert request.json() == {
        "content": "New order received: $9.5",
        "allowed_mentions": {"parse": []},
    }
