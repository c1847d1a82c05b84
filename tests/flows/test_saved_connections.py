"""Integrations that name what is saved: previewed without Prefect, run with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.blocks import save_secret
from tests.support.command import astrio
from tests.support.server import Server, serve

from astrio.blocks.api import RestApi
from astrio.blocks.database import Database
from astrio.blocks.store.document import Document

FILE = """\
name: saved
source:
  api: saved-shop
  request: {{path: /orders, headers: {{X-Extra: "${{secret:saved-extra}}"}}}}
  records: $.orders
push: {{to: {to}, table: orders, mode: upsert, key: [id]}}
"""


@pytest.fixture
def shop(tmp_path: Path, prefect_api: str) -> Iterator[Server]:
    """A shop, and everything that the file names saved."""
    from astrio.blocks.saved.saving import save

    with serve({"/orders": lambda _: {"orders": [{"id": 1}, {"id": 2}]}}) as server:
        api = {
            "base_url": server.url,
            "auth": {"block_type_slug": "astrio-none"},
            "headers": {"X-Shop": "saved-header-77"},
        }
        save(RestApi, Document(RestApi.slug(), "saved-shop", api, {}))
        url = f"sqlite:///{tmp_path}/saved.db"
        save(Database, Document(Database.slug(), "saved-warehouse", {"url": url}, {}))
        save_secret("saved-extra", "extra-secret-88")
        (tmp_path / "saved.yaml").write_text(FILE.format(to="saved-warehouse"))
        yield server


def test_a_preview_reads_it_without_prefect(shop: Server, tmp_path: Path, prefect_api: str) -> None:
    code = (
        "import sys; from astrio.deployments.cli import app\n"
        "try: app(['preview', 'saved.yaml', '--json'])\n"
        "finally: print([name for name in ('prefect', 'sqlalchemy') if name in sys.modules],"
        " file=sys.stderr)"
    )
    import os

    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ
        | {"PREFECT_API_URL": prefect_api, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert len(json.loads(ended.stdout)["records"]) == 2
    assert ended.stderr.splitlines()[-1] == "[]"
    assert shop.requests[0].headers["X-Shop"] == "saved-header-77"
    assert shop.requests[0].headers["X-Extra"] == "extra-secret-88"


def test_a_run_reads_it_and_its_parameters_hold_only_names(
    shop: Server, tmp_path: Path, prefect_api: str
) -> None:
    from prefect.client.orchestration import get_client

    environment = {"PREFECT_API_URL": prefect_api}
    for state in ("written", "unchanged"):
        ended = astrio("run", "saved.yaml", "--json", folder=tmp_path, environment=environment)
        report = ended.json()
        assert (report["state"], report["records"][state]) == ("completed", 2), ended.err
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(report["flow_run"].rpartition("/")[2])
    integration: dict[str, Any] = run.parameters["integration"]
    assert integration["source"]["api"] == "saved-shop"
    assert integration["push"]["to"] == "saved-warehouse"
    assert "saved-header-77" not in str(run)
    shown = astrio("status", "saved.yaml", folder=tmp_path, environment=environment)
    assert "saved" in shown.out


def test_what_is_missing_ends_the_run_before_anything_is_sent(
    shop: Server, tmp_path: Path, prefect_api: str
) -> None:
    (tmp_path / "saved.yaml").write_text(FILE.format(to="no-such-warehouse"))
    environment = {"PREFECT_API_URL": prefect_api}
    ended = astrio("run", "saved.yaml", "--json", folder=tmp_path, environment=environment)
    assert (ended.code, shop.requests) == (2, [])
    error = ended.json()["error"]
    assert "no-such-warehouse" in error["message"]
    assert "astrio connections add no-such-warehouse database" in error["advice"]
