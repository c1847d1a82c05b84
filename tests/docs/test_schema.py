"""The examples of docs/schema.md, run against a source that changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import failed_run, query, run
from tests.support.server import serve

from astrio.blocks.errors import ContractError
from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration
from astrio.tasks.destinations.contract import ContractSettings
from astrio.tasks.destinations.opening import quarantine_rows

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the source sends; a test may change it."""
    records = [{"id": 1, "total": 10}, {"id": 2, "total": 20}]
    with serve(lambda _: {"orders": records}) as server:
        monkeypatch.setenv("API_URL", server.url)
        yield records


def example(name: str, folder: Path) -> Integration:
    file = folder / f"{name}.yaml"
    file.write_text(EXAMPLES[name], encoding="utf-8")
    return read_integration(file).integration


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_frozen_table_names_the_field_and_the_record(
    orders: list[dict[str, Any]], tmp_path: Path
) -> None:
    plan = example("frozen-orders", tmp_path)
    assert run(plan).records.written == 2
    orders.append({"id": 3, "total": 30, "coupon": "x"})
    error = failed_run(plan)
    assert isinstance(error, ContractError)
    assert "The record 3 does not fit: the table orders has no column coupon" in error.message
    assert query(tmp_path / "orders.db", "SELECT id FROM orders") == [(1,), (2,)]
    del orders[-1]["coupon"]
    assert run(plan).records.written == 1


def test_a_tolerant_table_takes_what_fits_and_accounts_for_the_rest(
    orders: list[dict[str, Any]], tmp_path: Path
) -> None:
    plan = example("tolerant-orders", tmp_path)
    run(plan)
    orders[:] = [{"id": 1, "total": "ten"}, {"id": 2, "total": 20}, {"id": 3, "coupon": "x"}]
    report = run(plan)
    assert report.records.balanced
    assert (report.records.rejected, report.records.unchanged, report.records.written) == (1, 1, 1)
    assert report.table is not None
    assert report.table.discarded_values == {"coupon": 1}
    assert report.warnings == ["push.contract left values out of the table: 1 for coupon."]
    (kept,) = quarantine_rows(plan.push, plan.name)
    assert (kept["key"], kept["rule"]) == ("1", "contract")


def test_every_word_of_the_contract_is_in_the_table() -> None:
    schema = ContractSettings.model_json_schema()
    words = schema["anyOf"][0]["enum"]
    assert [word for word in words if f"| `{word}`" not in PAGE] == []
