"""The files of docs/push-integration.md: they are checked, and one after the other run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.flows.running import query, run
from tests.support.server import serve
from typer.testing import CliRunner

from astrio.deployments.cli import app
from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "push-integration.md").read_text("utf-8")
FILES = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.S))
RECORDS = [{"id": number, "email": "ADA@example.com", "total": number * 2} for number in range(4)]


def test_the_pages_files_hand_over_what_the_page_says(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve(lambda _: RECORDS) as api:
        for name, text in FILES.items():
            Path(name).write_text(text.replace("https://shop.example.com", api.url))
        checked = CliRunner().invoke(app, ["check"])
        assert (checked.exit_code, checked.stdout) == (0, "")
        run(read_integration(Path("orders.yaml")).integration)
        shown = CliRunner().invoke(app, ["preview", "invoices.yaml", "--json"])
        assert shown.exit_code == 0
        report = run(read_integration(Path("invoices.yaml")).integration)
    counts = report.records
    assert (counts.fetched, counts.filtered, counts.written) == (4, 1, 3)
    invoices = query(Path("invoices.db"), "SELECT order_id, amount FROM invoices ORDER BY order_id")
    assert invoices == [(1, 2), (2, 4), (3, 6)]
    assert query(Path("shop.db"), "SELECT count(*) FROM orders") == [(4,)]
