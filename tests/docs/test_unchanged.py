"""The example of docs/unchanged.md, run as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.flows.running import query, run
from tests.support.server import serve

from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "unchanged.md").read_text(encoding="utf-8")


def test_the_example_skips_what_has_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "products.yaml"
    file.write_text(text, encoding="utf-8")
    products = [{"id": number, "title": f" Hat {number} ", "price": "1.50"} for number in range(9)]
    with serve(lambda _: {"data": {"products": products, "next": None}}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        plan = read_integration(file).integration
        run(plan)
        reports = [run(plan) for _ in range(3)]
        assert {each.records.unchanged for each in reports} == {9}
        assert sum(each.pages_skipped for each in reports) >= 2  # one of twenty is compared
        products[3]["title"] = "Scarf"
        assert run(plan).records.written == 1
    assert query(tmp_path / "products.db", "SELECT title FROM products WHERE id = 3") == [
        ("Scarf",)
    ]
