"""The demo's acts: a sync, an incremental one, webhooks in and out, Prefect's own history."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx

from astrio.blocks.errors import FatalError
from astrio.deployments.cli.output import say, show
from astrio.deployments.cli.report import show_report
from astrio.deployments.demo.notifying import SECRET, new_secret
from astrio.deployments.demo.process import running_gateway, running_shop
from astrio.deployments.remembering import remember_run
from astrio.deployments.running import run_flow
from astrio.flows import templates
from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration
from astrio.tasks.destinations.opening import quarantine_rows
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport

TOKEN = "demo-token"  # noqa: S105 (the bundled shop's own, on loopback)


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo keeps its files, and whether a terminal watches."""

    folder: Path
    bar: bool

    def integration(self, template: str, replacements: dict[str, str]) -> Integration:
        """Write a template into the folder, with its example values replaced, and read it."""
        text = files(templates).joinpath(f"{template}.yaml").read_text("utf-8")
        for old, new in replacements.items():
            text = text.replace(old, new)
        path = self.folder / f"{template}.yaml"
        path.write_text(text, "utf-8")
        return read_integration(path).integration

    def run(self, integration: Integration) -> RunReport:
        """Run the integration's flow and show its report.

        Raises:
            FatalError: the run failed, which the demo does not foresee.
        """
        result = run_flow(integration, RunOptions(), bar=self.bar)
        remember_run(self.folder / f"{integration.name}.yaml", integration, result.report)
        show_report(result.report)
        if result.error is not None:
            raise FatalError(f"The demo's run of {integration.name} failed.") from result.error
        return result.report


def orders(demo: Demo) -> None:
    """Acts one and two: 5,000 orders, then the 37 that changed."""
    os.environ["SHOP_TOKEN"] = TOKEN
    with running_shop() as url:
        shop = demo.integration("shop-orders", {"127.0.0.1:8000": url.removeprefix("http://")})
        _act(1, f"5,000 orders from a shop API at {url} into SQLite")
        demo.run(shop)
        _show_quarantine(shop)
        httpx.post(f"{url}/admin/advance", trust_env=False).raise_for_status()
        _act(2, "37 orders have changed since: only they are written")
        demo.run(shop)


def events(demo: Demo, api_url: str) -> None:
    """Act three: the shop sends signed webhooks, which become rows; a forged one is refused."""
    os.environ |= {"PREFECT_API_URL": api_url, SECRET: new_secret()}
    _act(3, "the shop sends signed webhooks, which become rows at once; a forged one is refused")
    live = demo.integration("shop-events", {})
    with running_shop() as shop, running_gateway() as gateway:
        show(f"`astrio gateway` listens on {gateway}")
        asked = {"url": f"{gateway}/webhooks/shop"}
        _sent(shop, asked | {"count": "1"})
        _await_rows(live, 1, seconds=120)  # the process that runs events has started
        sent = time.monotonic()
        accepted = _sent(shop, asked | {"count": "20"})
        _await_rows(live, 20, seconds=60)
        took = time.monotonic() - sent
        [refused] = _sent(shop, asked | {"count": "1", "forged": "1"})
    show(f"  {accepted.count(202)} of 20 signed webhooks accepted (202), durable before the answer")
    show(f"  {_count(live)} orders are in the table {took:.1f} s after the first was sent")
    show(f"  1 forged webhook refused ({refused}), and not stored")


def _sent(shop: str, query: dict[str, str]) -> list[int]:
    """Let the shop send webhooks, and return how they were answered."""
    answer = httpx.post(f"{shop}/admin/notify", params=query, timeout=60, trust_env=False)
    statuses: list[int] = answer.raise_for_status().json()["statuses"]
    return statuses


def _await_rows(live: Integration, count: int, *, seconds: float) -> None:
    """Wait until the table holds so many orders.

    Raises:
        FatalError: it does not, which the demo does not foresee.
    """
    ends = time.monotonic() + seconds
    while _count(live) < count:
        if time.monotonic() > ends:
            raise FatalError(
                f"The events of the shop did not arrive in the table within {seconds:.0f} s.",
                advice="See what became of them: astrio events list",
            )
        time.sleep(0.02)


def _count(live: Integration) -> int:
    with closing(sqlite3.connect("orders.db")) as connection:
        try:
            query = f"SELECT count(*) FROM {live.push.table}"  # noqa: S608 (the demo's own table)
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # no event has come yet


def letters(demo: Demo) -> None:
    """Act four: an event goes to two receivers, one of which is dead; its letter is replayed."""
    from astrio.deployments.demo.delivering import deliveries

    _act(4, "an order event to two receivers: one fails twice, the other is dead")
    deliveries(demo.folder)


def history(demo: Demo, api_url: str) -> None:
    """Act five: the Prefect server's own flow runs, through its REST API, into SQL."""
    os.environ["PREFECT_API_URL"] = api_url
    _act(5, "an API that nobody here wrote: Prefect's own run history into SQLite")
    demo.run(demo.integration("prefect-flow-runs", {}))


def _act(number: int, title: str) -> None:
    say("")
    show(f"── Act {number}: {title}")


def _show_quarantine(shop: Integration) -> None:
    rows = quarantine_rows(shop.push, shop.name)
    show(f"Quarantined: {len(rows)} records, none of them lost; the first three:")
    for row in rows[:3]:
        show(f"  order {row['key']}: {row['field']}: {row['reason']}")
