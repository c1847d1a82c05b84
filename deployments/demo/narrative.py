"""The demo's acts: a first sync, an incremental one, and Prefect's own history into SQL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx

from astrio.blocks.errors import FatalError
from astrio.deployments.cli.output import say, show
from astrio.deployments.cli.report import show_report
from astrio.deployments.demo.process import running_shop
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


def history(demo: Demo, api_url: str) -> None:
    """Act three: the Prefect server's own flow runs, through its REST API, into SQL."""
    os.environ["PREFECT_API_URL"] = api_url
    _act(3, "an API that nobody here wrote: Prefect's own run history into SQLite")
    demo.run(demo.integration("prefect-flow-runs", {}))


def _act(number: int, title: str) -> None:
    say("")
    show(f"── Act {number}: {title}")


def _show_quarantine(shop: Integration) -> None:
    rows = quarantine_rows(shop.push, shop.name)
    show(f"Quarantined: {len(rows)} records, none of them lost; the first three:")
    for row in rows[:3]:
        show(f"  order {row['key']}: {row['field']}: {row['reason']}")
