"""The example of docs/backfill.md, run as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tests.flows.running import query
from tests.support.command import astrio
from tests.support.server import serve

from astrio.flows.reading.read import read_integration
from astrio.tasks.options import BackfillOptions

PAGE = (Path(__file__).parents[2] / "docs" / "backfill.md").read_text(encoding="utf-8")
EXAMPLE, HEALED = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
SHOWN = re.findall(r"```console\n\$ astrio (.*?)\n(.*?)```", PAGE, re.S)
ORDERS = [
    {"id": day, "status": "paid", "total": day * 2, "updated_at": f"2026-01-{day:02d}T10:00:00Z"}
    for day in range(1, 32)
]


def service(request: Any) -> Any:
    since, until = request.query["since"], request.query["until"]
    return {"orders": [each for each in ORDERS if since <= each["updated_at"] < until]}


def test_the_examples_do_what_the_page_says(tmp_path: Path, prefect_api: str) -> None:
    file = tmp_path / "shop-orders.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    (whole, printed), (columns, _) = SHOWN
    with serve(service) as server:
        variables = {"SHOP_URL": server.url, "PREFECT_API_URL": prefect_api}
        first = astrio(*shlex.split(whole), folder=tmp_path, environment=variables)
        assert first.code == 0, first.err
        told = [line.split() for line in first.out.splitlines()]
        assert [line for line in printed.splitlines() if line.split() not in told] == []
        file.write_text(
            EXAMPLE.replace("  status: status\n", "  status: upper(status)\n  total: total\n")
        )
        second = astrio(
            *shlex.split(columns), "--until", "2026-01-16", folder=tmp_path, environment=variables
        )
    assert second.code == 0, second.err
    rows = query(tmp_path / "orders.db", "SELECT id, status, total FROM orders ORDER BY id")
    assert rows == [(day, "paid", day * 2 if day < 16 else None) for day in range(1, 32)]


def test_every_option_is_in_the_table() -> None:
    flags = [f"--{name}" for name in BackfillOptions.model_fields]
    assert [flag for flag in flags if f"| `{flag}" not in PAGE] == []


def test_the_healing_example_is_read_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "healed-orders.yaml"
    file.write_text(HEALED, encoding="utf-8")
    found = read_integration(file)
    assert found.warnings == []
    assert found.integration.schedule is not None
    assert found.integration.schedule.heal is not None


def test_healing_without_incremental_reading_is_told_to_be_of_no_effect(tmp_path: Path) -> None:
    file = tmp_path / "healed-orders.yaml"
    file.write_text(re.sub(r"  incremental: .*\n", "", HEALED), encoding="utf-8")
    assert "`heal` has no effect" in read_integration(file).warnings[0].message
