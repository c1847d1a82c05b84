"""The example of docs/quality.md, run against a source that gets worse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import failed_run, query, run
from tests.support.server import serve

from astrio.flows.reading.read import read_integration
from astrio.tasks.quality.figures import FieldFigures
from astrio.tasks.quality.settings import QualitySettings

PAGE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"user{number}@example.com",
        "total": number / 2,
        "status": "open" if number % 3 else "closed",
        "day": "2026-01-31",
    } | changes


def test_the_example_takes_good_orders_and_keeps_them_when_bad_ones_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "orders.yaml"
    file.write_text(EXAMPLE, encoding="utf-8")
    orders = [order(number) for number in range(100)]
    with serve(lambda _: {"orders": orders}) as server:
        monkeypatch.setenv("API_URL", server.url)
        plan = read_integration(file).integration
        good = run(plan)
        orders[:] = [order(number, email=None, status="open") for number in range(50)]
        orders += [order(99, total=-1, day="2019-12-31")]
        error = failed_run(plan)
    assert (good.quality, good.records.written) == ([], 100)
    assert error.message == (
        "Quality: 50 of 51 records have no email (at most 5%); "
        "total is -1 in a record (at least 0)."
    )
    assert query(tmp_path / "orders.db", "SELECT count(*) FROM orders") == [(100,)]


@pytest.mark.parametrize("model", [QualitySettings, FieldFigures])
def test_every_key_is_in_the_tables(model: Any) -> None:
    names = set(model.model_fields) - {"field"}
    assert [name for name in names if f"`{name}`" not in PAGE] == []
