"""The example of docs/dry-run.md, run as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.server import serve

from astrio.deployments.cli.report import show_report
from astrio.flows.reading.read import read_integration
from astrio.tasks.difference import Difference

PAGE = (Path(__file__).parents[2] / "docs" / "dry-run.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
(DIFFERENCE,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
(SHOWN,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "status": "open", "total": 9.5} | changes


def test_the_example_tells_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    file = tmp_path / "shop-orders.yaml"
    file.write_text(EXAMPLE.replace("  note: note\n", ""), encoding="utf-8")
    orders = [order(1), order(2), order(3)]
    with serve(lambda _: {"orders": orders}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        run(read_integration(file).integration)
        file.write_text(EXAMPLE, encoding="utf-8")
        orders[1:] = [order(2, status="paid"), order(3, total=-1), order(4)]
        report = run(read_integration(file).integration, dry_run=True)
    assert report.difference is not None
    assert report.difference.model_dump() == json.loads(DIFFERENCE)
    assert query(tmp_path / "orders.db", "SELECT * FROM orders") == [
        (1, "open", 9.5),
        (2, "open", 9.5),
        (3, "open", 9.5),
    ]
    show_report(report)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    wanted = [line.split() for line in SHOWN.splitlines()[1:]]
    assert [line for line in wanted if line not in printed] == []


def test_every_key_is_in_the_table() -> None:
    assert [name for name in Difference.model_fields if f"| `{name}` |" not in PAGE] == []
