"""`astrio run`: its report, its exit codes, one run of a stream at a time."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from tests.flows.api import cursor_api, integration, record
from tests.support.command import Ended, astrio, begin, ended, eventually
from tests.support.server import Server, answer, serve, unused_url

KEYS = {
    "integration", "state", "dry_run", "flow_run", "window", "pages", "stop_reason", "records",
    "requests", "checkpoint", "seconds", "error",
}  # fmt: skip
RECORD_KEYS = {
    "claimed", "fetched", "filtered", "rejected", "written", "unchanged", "failed", "deleted",
}  # fmt: skip


def write(folder: Path, url: str, **changes: Any) -> Path:
    plan = integration(url, folder / "items.db", **changes)
    file = folder / "items.yaml"
    document = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def stored(folder: Path) -> list[int]:
    with closing(sqlite3.connect(folder / "items.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM items ORDER BY id")]


def known_balance(records: dict[str, Any]) -> bool:
    fates = ("filtered", "rejected", "written", "unchanged", "failed")
    return bool(records["fetched"] == sum(records[fate] for fate in fates))


def test_json_is_the_report_of_the_contract_and_nothing_else_on_standard_output(
    tmp_path: Path, prefect_api: str
) -> None:
    incremental = {"incremental": {"cursor": "updated_at", "param": "since"}}
    with cursor_api([record(number) for number in range(25)]) as server:
        file = write(tmp_path, server.url, source=incremental)
        run = astrio("run", str(file), "--json", folder=tmp_path, environment=api(prefect_api))
    assert run.code == 0, run.err
    report = run.json()
    assert report.keys() >= KEYS
    assert report["records"].keys() == RECORD_KEYS
    assert report["window"].keys() == {"start", "end"}
    assert report["requests"].keys() == {"sent", "retried", "p50_ms", "p95_ms"}
    assert report["integration"] == "items"
    assert (report["state"], report["dry_run"], report["error"]) == ("completed", False, None)
    assert (report["pages"], report["stop_reason"], report["requests"]["sent"]) == (3, "no_next", 3)
    assert report["records"] | {"claimed": None} == {
        **dict.fromkeys(RECORD_KEYS, 0),
        "claimed": None,
        "fetched": 25,
        "written": 25,
    }
    assert report["checkpoint"] == {"updated_at": "2026-01-01T00:00:24Z"}
    assert report["flow_run"]
    assert stored(tmp_path) == list(range(25))


def test_without_json_the_balance_is_told_in_words(tmp_path: Path, prefect_api: str) -> None:
    records = [record(number) for number in range(4)]
    records[1]["email"] = "nobody"
    with cursor_api(records) as server:
        rules = [{"field": "email", "type": "email"}]
        file = write(tmp_path, server.url, validate=rules)
        run = astrio("run", str(file), folder=tmp_path, environment=api(prefect_api))
    assert run.code == 0, run.err
    assert (
        "items: Completed with rejects: "
        "4 fetched = 0 filtered + 1 rejected + 3 written + 0 unchanged + 0 failed"
    ) in run.out
    assert "1 sent, 0 retried" in run.out
    page = prefect_api.removesuffix("/api") + "/runs/flow-run/"
    assert f"  In the UI              {page}" in run.out
    assert "astrio quarantine list items" in run.err
    assert "Traceback" not in run.err
    assert "prefect" not in run.err.lower()


def test_a_preview_tells_what_changed_in_the_mapping_since_the_run(
    tmp_path: Path, prefect_api: str
) -> None:
    with cursor_api([record(0)]) as server:
        file = write(tmp_path, server.url)
        run = astrio("run", str(file), folder=tmp_path, environment=api(prefect_api))
        assert run.code == 0, run.err
        preview = astrio("preview", str(file), "--json", folder=tmp_path).json()
        assert preview["changes"] is None
        file.write_text(file.read_text().replace("name: name", "name: upper(name)"))
        changes = astrio("preview", str(file), "--json", folder=tmp_path).json()["changes"]
    assert changes["targets"] == [{"name": "name", "before": "name", "after": "upper(name)"}]
    assert changes["rules"] == []
    assert changes["values"] == [
        {"name": "name", "before": "Name 0", "after": "NAME 0", "record": 1}
    ]


def test_refused_credentials_fail_the_run_with_the_report_and_advice(
    tmp_path: Path, prefect_api: str
) -> None:
    with serve({"/items": lambda _: answer({"error": "who are you?"}, 401)}) as server:
        file = write(tmp_path, server.url, errors={"401": "Ask the shop for a new key."})
        run = astrio("run", str(file), "--json", folder=tmp_path, environment=api(prefect_api))
    report = run.json()
    assert run.code == 1
    assert report.keys() >= KEYS
    assert (report["state"], report["stop_reason"]) == ("failed", "error")
    assert report["error"]["kind"] == "credentials"
    assert "401" in report["error"]["message"]
    assert "Ask the shop for a new key." in report["error"]["message"] + report["error"]["advice"]
    assert f"GET {server.url}/items" in report["error"]["request"]
    assert len(server.requests) == 1


def test_a_missing_variable_is_a_configuration_error_and_nothing_is_sent(
    tmp_path: Path, prefect_api: str
) -> None:
    with cursor_api([record(1)]) as server:
        auth = {"type": "bearer", "token": "${env:NOT_SET_ANYWHERE}"}
        source = {"api": {"base_url": server.url, "auth": auth}}
        file = write(tmp_path, server.url, source=source)
        run = astrio("run", str(file), "--json", folder=tmp_path, environment=api(prefect_api))
    assert run.code == 2
    assert run.json()["error"]["kind"] == "configuration"
    assert "NOT_SET_ANYWHERE" in run.json()["error"]["message"]
    assert server.requests == []
    assert not (tmp_path / "items.db").exists()


def test_an_unknown_file_is_a_configuration_error(tmp_path: Path, prefect_api: str) -> None:
    run = astrio("run", "nothing.yaml", folder=tmp_path, environment=api(prefect_api))
    assert run.code == 2
    assert run.out == ""
    assert "nothing.yaml" in run.err


def test_an_unknown_option_is_a_usage_error(tmp_path: Path) -> None:
    run = astrio("run", "items.yaml", "--json", "--nonsense", folder=tmp_path)
    assert run.code == 2
    assert run.json()["error"]["kind"] == "usage"


def test_a_configured_server_that_does_not_answer_is_an_error_and_never_replaced(
    tmp_path: Path,
) -> None:
    address = f"{unused_url()}/api"
    with cursor_api([record(1)]) as server:
        file = write(tmp_path, server.url)
        run = astrio("run", str(file), "--json", folder=tmp_path, environment=api(address))
    report = run.json()
    assert run.code == 1
    assert report.keys() >= KEYS
    assert (report["state"], report["error"]["kind"]) == ("failed", "server")
    assert address in report["error"]["message"]
    assert "PREFECT_API_URL" in report["error"]["advice"]
    assert server.requests == []
    assert not (tmp_path / "astrio-home" / "server.json").exists()
    assert "starting" not in run.err


def api(url: str) -> dict[str, str]:
    return {"PREFECT_API_URL": url}


@dataclass
class Crowd:
    """Three runs of one stream at a time, the first one stopped by Ctrl-C, and one afterwards."""

    first: Ended
    refused: Ended
    waiting: Ended
    waited: bool
    holder: int
    rows: list[int]
    asked: list[str]


@contextmanager
def stuck_api(gate: threading.Event) -> Iterator[Server]:
    """Ten records a page; the third page hangs until the gate is open."""
    records = [record(number) for number in range(50)]

    async def items(request: web.Request) -> Any:
        start = int(request.query.get("cursor", "0"))
        if start == 20 and not gate.is_set():
            gate.set()
            await never()
        following = start + 10 if start + 10 < len(records) else None
        return {"items": records[start : start + 10], "next": following}

    with serve({"/items": items}) as server:
        yield server


async def never() -> None:

    await asyncio.sleep(3600)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Iterator[Crowd]:
    folder, hanging = tmp_path_factory.mktemp("crowd"), threading.Event()
    with stuck_api(hanging) as server:
        file = write(folder, server.url)
        words = ("run", str(file), "--json")
        one = begin(*words, folder=folder, environment=api(prefect_api))
        assert hanging.wait(60)
        refused = astrio(*words, folder=folder, environment=api(prefect_api))
        other = begin(*words, "--wait", folder=folder, environment=api(prefect_api))
        waited = not eventually(lambda: other.poll() is not None, patience=6)
        before = len(server.requests)
        one.send_signal(signal.SIGINT)
        first = ended(one)
        waiting = ended(other)
        asked = [seen.query.get("cursor", ["0"])[0] for seen in server.requests[before:]]
        yield Crowd(first, refused, waiting, waited, one.pid, stored(folder), asked)


def test_ctrl_c_ends_with_a_report_of_what_is_kept(crowd: Crowd) -> None:
    report = crowd.first.json()
    assert crowd.first.code == 130
    assert report["state"] == "cancelled"
    assert report["error"]["message"]
    assert known_balance(report["records"])
    assert report["records"]["written"] == 20
    assert "Traceback" not in crowd.first.err


def test_a_second_run_of_a_stream_is_refused_at_once_and_told_who_is_at_work(crowd: Crowd) -> None:
    report = crowd.refused.json()
    assert crowd.refused.code == 1
    assert (report["state"], report["error"]["kind"]) == ("failed", "lease")
    assert f"process {crowd.holder} on" in report["error"]["message"]
    assert "since 20" in report["error"]["message"]
    assert "--wait" in report["error"]["advice"]


def test_a_run_that_waits_begins_when_the_first_has_ended(crowd: Crowd) -> None:
    assert crowd.waited
    assert crowd.waiting.code == 0, crowd.waiting.err


def test_the_run_after_ctrl_c_goes_on_where_it_stopped(crowd: Crowd) -> None:
    report = crowd.waiting.json()
    assert report["state"] == "completed"
    assert report["records"]["fetched"] == 50
    assert known_balance(report["records"])
    assert crowd.rows == list(range(50))
    assert crowd.asked == ["20", "30", "40"]


def test_verbose_shows_prefects_log_on_standard_error_only(
    tmp_path: Path, prefect_api: str
) -> None:
    environment = api(prefect_api) | {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": None}
    with cursor_api([record(1)]) as server:
        file = write(tmp_path, server.url)
        words = ("run", str(file), "--json", "--verbose")
        run = astrio(*words, folder=tmp_path, environment=environment)
    assert run.json()["state"] == "completed"
    assert "Finished in state Completed" in run.err
