"""Runs that have to wait: for an API's quota, or for somebody's consent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.deployments.cli.test_up import Up, get, rows, start
from tests.support.command import astrio, begin, eventually
from tests.support.provider import provider
from tests.support.server import answer, serve

pytestmark = pytest.mark.slow

LIMITED = """\
name: limited
source:
  api: {{base_url: "{url}"}}
  request: {{path: /items}}
  records: $.items
push: {{to: {{url: "sqlite:///limited.db"}}, table: items, mode: upsert, key: [id]}}
retry: {{max_wait: 1000}}
"""
SHOP = """\
name: shop
source: {api: shop, request: {path: /orders}, records: $.orders}
push: {to: {url: "sqlite:///shop.db"}, table: items, mode: upsert, key: [id]}
schedule: {every: 5s}
"""


@contextmanager
def running(folder: Path) -> Iterator[Up]:
    up = start(folder)
    try:
        assert up.tells("The UI is at", 120), up.lines
        yield up
    finally:
        astrio("down", folder=folder, environment=up.environment())
        up.process.kill()


def deployment(up: Up) -> dict[str, Any]:
    [found] = [
        each for each in get(up, "/deployments/filter") if each["name"] in ("limited", "shop")
    ]
    assert isinstance(found, dict)
    return found


def state(up: Up, run: str) -> dict[str, Any]:
    answered = httpx.get(f"{up.url}/api/flow_runs/{run}", timeout=30, trust_env=False).json()
    assert isinstance(answered["state"], dict)
    return answered["state"]


def command(up: Up, *words: str) -> None:
    ended = astrio(*words, folder=up.folder, environment=up.environment())
    assert ended.code == 0, ended.err


def agree(up: Up, name: str) -> None:
    """Run the command that asks for the consent, and agree as a browser would."""
    words = ("connections", "authorize", name, "--no-browser")
    asking = begin(*words, folder=up.folder, environment=up.environment())
    assert asking.stderr is not None
    page = next(line for line in asking.stderr if "code_challenge" in line).strip()
    httpx.get(page, follow_redirects=True, trust_env=False)
    assert asking.wait(60) == 0


def test_a_wait_that_is_too_long_frees_the_worker_and_the_run_goes_on_after_it(
    tmp_path: Path,
) -> None:
    asked: list[int] = []

    def items(_: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            return answer({"message": "slow down"}, 429, {"Retry-After": "6"})
        return {"items": [{"id": 1}, {"id": 2}]}

    with serve(items) as server:
        (tmp_path / "limited.yaml").write_text(LIMITED.format(url=server.url))
        with running(tmp_path) as up:
            run = get(up, f"/deployments/{deployment(up)['id']}/create_flow_run")["id"]
            assert eventually(lambda: state(up, run)["name"] == "AwaitingRetry", 60)
            assert "It asks to wait 6 s" in state(up, run)["message"]
            assert eventually(lambda: state(up, run)["type"] == "COMPLETED", 60), up.lines
            assert rows(tmp_path, "limited") == 2


def test_schedules_pause_until_somebody_agrees_and_then_go_on(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    with provider() as server, running(tmp_path) as up:
        consent = (f"authorization_url={server.url}/authorize", f"token_url={server.url}/token")
        kind = "oauth2_authorization_code"
        command(up, "connections", "add", "shop-consent", kind, *consent, "client_id=me")
        command(up, "connections", "add", "shop", f"base_url={server.url}", "auth=shop-consent")
        assert eventually(lambda: bool(deployment(up)["paused"]), 90), up.lines
        assert up.tells("astrio connections authorize", 10), up.lines
        wanted = {"event": {"name": ["astrio.connection.needs-authorisation"]}}
        assert eventually(lambda: bool(get(up, "/events/filter", filter=wanted)["events"]), 30)
        agree(up, "shop")
        assert not deployment(up)["paused"]
        assert eventually(lambda: rows(tmp_path, "shop") == 2, 90), up.lines
        (tmp_path / "again.yaml").write_text(SHOP.replace("name: shop", "name: again"))
        names = {"keep-alive", "shop", "again"}
        made = lambda: {each["name"] for each in get(up, "/deployments/filter")}  # noqa: E731
        assert eventually(lambda: made() == names, 60), up.lines
