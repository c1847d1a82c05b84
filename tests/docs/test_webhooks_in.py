"""The page of the gateway: its example runs; its options, limits and metrics are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.deployments.cli.cli import call, called
from tests.support.gateway import KEY, gateway

from astrio.deployments.gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhooks-in.md").read_text(encoding="utf-8")
UNIT = (ROOT / "deployments" / "astrio-gateway.service").read_text(encoding="utf-8")


def test_the_example_runs_and_its_metrics_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", KEY)
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.S)
    assert found is not None
    (tmp_path / "shop-orders.yaml").write_text(found[1])
    payload = tmp_path / "payload.json.sample"
    payload.write_text('{"id": 1, "total": 5}')
    with gateway(tmp_path) as running:
        to = ("--dir", str(tmp_path), "--url", f"http://127.0.0.1:{running.port}")
        sent = called("events", "send", "shop-orders", str(payload), *to)
        assert f"{sent['status']} {sent['answer']}" in PAGE
        again = called("events", "send", "shop-orders", str(payload), "--id", sent["id"], *to)
        assert f"{again['status']} `{again['answer']}`" in PAGE
        running.send()
        page = running.send("GET", "/metrics").body.decode()
    for name in re.findall(r"`(astrio_webhook_\w+)", PAGE):
        assert name in page


def test_the_options_are_those_there_are() -> None:
    shown = call("gateway", "--help").stdout + call("events", "send", "--help").stdout
    for command in ("list", "replay", "purge"):
        shown += call("events", command, "--help").stdout
    for option in set(re.findall(r"--[a-z][a-z-]+", PAGE + UNIT.partition("ExecStart")[2])):
        assert option in shown


def test_the_limits_are_the_defaults() -> None:
    settings = GatewaySettings()
    rows = {
        row[1].strip(): row[2].strip()
        for row in (line.split("|") for line in PAGE.splitlines())
        if len(row) == 5
    }
    assert f"{settings.header_bytes // 1024} KiB" in rows["head of a request"]
    assert rows["time for a head, and for an idle connection"].startswith(
        f"{settings.header_seconds:g} s"
    )
    assert rows["time for a body"].startswith(f"{settings.body_seconds:g} s")
    assert rows["connections at a time"].startswith(str(settings.connections))
    memory = rows["bodies that are not complete yet, over all connections"]
    assert memory == f"{settings.body_memory // 2**20} MiB"
