"""Every block of docs/python.md: its modules are imported, its files run, its tests pass."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import query, run
from tests.support.connectors import Write
from tests.support.server import Server, serve

from astrio.blocks.webhooks.schemes.base import Outgoing, Received
from astrio.flows.engine import engine
from astrio.flows.reading.read import check_file, read_integration
from astrio.flows.receiving import receiving_run
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.python.references import resolve
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.event import Arrival
from astrio.tasks.webhooks.inbox.looking import Which, listed

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
MODULES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.S))
FILES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
ADA = {"id": 1, "firstName": "Ada", "lastName": "Lovelace", "emailAddress": "ada@example.com"}
USERS = [ADA, {**ADA, "id": 2, "testAccount": True}, {**ADA, "id": 3, "emailAddress": "none"}]
BOOKINGS = [
    {"id": 1, "guest": "Ada", "start": "2026-01-01", "end": "2026-01-02"},
    {"id": 2, "guest": "Ben", "start": "2026-01-03", "end": "2026-01-02"},
    {"id": 3, "guest": "", "start": "2026-01-01", "end": "2026-01-02"},
]
CONTACTS = [{"id": number, "updated_at": f"2026-01-01T00:0{number}:00Z"} for number in range(5)]


@pytest.fixture
def project(write: Write, tmp_path: Path) -> Path:
    """The page's project, in the current folder."""
    for name, text in MODULES.items():
        write(f"../{name}", text)
    for name, text in FILES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def contacts(request: web.Request) -> Any:
    since, start = request.query.get("since", ""), int(request.query.get("from", "0"))
    chosen = [each for each in CONTACTS if each["updated_at"] >= since]
    following = f"/contacts?from={start + 2}" if start + 2 < len(chosen) else None
    return {"contacts": chosen[start : start + 2], "next": following}


def api() -> Any:
    companies = [{"id": 1, "tax_number": "12 34", "country": "AT"}, {"id": 2, "tax_number": None}]
    return serve({
        "/users": lambda _: USERS,
        "/bookings": lambda _: BOOKINGS,
        "/contacts": contacts,
        "/companies": lambda _: companies,
    })  # fmt: skip


def running(project: Path, server: Server, name: str) -> Any:
    file = project / f"{name}.yaml"
    file.write_text(re.sub(r"https://\w+\.example\.com", server.url, FILES[name]))
    return run(read_integration(file).integration).records


def test_every_file_of_the_page_has_no_mistake(project: Path) -> None:
    assert set(FILES) == {"users", "bookings", "contacts", "companies", "user-events"}
    for name in FILES:
        assert not check_file(project / f"{name}.yaml")


def test_the_transform_makes_rows_filters_and_rejects(project: Path) -> None:
    with api() as server:
        counts = running(project, server, "users")
    assert (counts.written, counts.filtered, counts.rejected) == (1, 1, 1)
    [(key, name, email, metadata)] = query(
        project / "users.db", "SELECT external_id, name, email, metadata FROM users"
    )
    assert (key, name, email) == (1, "Ada Lovelace", "ada@example.com")
    assert json.loads(metadata).keys() == {"source", "created_at"}
    [(reason,)] = query(project / "users.db", "SELECT reason FROM _astrio_quarantine")
    assert reason.startswith("no e-mail address (connectors/users.py, line ")


def test_the_model_and_the_function_judge_alike(project: Path) -> None:
    with api() as server:
        counts = running(project, server, "bookings")
    assert (counts.written, counts.rejected) == (1, 2)
    judge = resolve("bookings:judge").value
    assert [judge(each) for each in BOOKINGS[:2]] == [None, {"end": "comes before the start"}]


def test_the_source_reads_what_is_new(project: Path) -> None:
    with api() as server:
        first, second = (running(project, server, "contacts") for _ in range(2))
        since = [request.query.get("since", [""])[0] for request in server.requests]
    assert (first.fetched, first.written) == (5, 5)
    assert (second.written, second.fetched) == (0, 5)
    assert since == ["", "", "", "2025-12-31T23:59:00Z", "", ""]


def test_the_function_is_called_by_the_mapping(project: Path) -> None:
    with api() as server:
        running(project, server, "companies")
    found = query(project / "companies.db", "SELECT id, vat FROM companies ORDER BY id")
    assert found == [(1, "at1234"), (2, None)]


def signed(body: bytes, at: int, secret: str = "a-secret-of-sixteen") -> list[tuple[bytes, bytes]]:
    scheme = resolve("receiving:SCHEME").value
    outgoing = Outgoing("id", at, "https://app.example.com/hook", body)
    return [(n.lower().encode(), v.encode()) for n, v in scheme.sign(outgoing, [secret])]


def test_the_webhook_is_verified_over_raw_bytes_and_only_while_it_is_fresh(project: Path) -> None:
    validate = resolve("receiving:validate_webhook").value
    body, now = b'{"id":1,  "name": "Ada"}', 1_767_323_045
    secrets = ["the-newer-secret-of-ours", "a-secret-of-sixteen"]

    def accepted(content: bytes, headers: list[tuple[bytes, bytes]], at: float = now) -> Any:
        received = Received("POST", "https://app.example.com/hook", headers, content)
        return validate(received, secrets, at)

    headers = signed(body, now)
    assert accepted(body, headers)
    assert not accepted(json.dumps(json.loads(body)).encode(), headers)
    assert not accepted(body, signed(body, now, "another-secret-of-some"))
    assert not accepted(body, headers, now + 3600)
    assert not accepted(body, headers[:1])


def test_an_event_of_the_webhook_becomes_a_row(
    project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "a-secret-of-sixteen")
    inbox = Appender(Ledger())
    body = json.dumps(ADA).encode()
    inbox.append([Arrival("user-events", "1", [], body, time.time())])
    integration = read_integration(project / "user-events.yaml").integration
    [event] = listed(Which())

    async def receive() -> None:
        await engine(await receiving_run(integration, [event.id]))

    asyncio.run(receive())
    inbox.close()
    assert query(project / "users.db", "SELECT name FROM users") == [("Ada Lovelace",)]


def test_the_tests_of_the_page_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout
