"""The examples of docs/vanished.md, run as it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import failed_run, query, run
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration

PAGE = (Path(__file__).parents[2] / "docs" / "vanished.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```yaml\nname: (\S+)\n(.*?)```", PAGE, re.S))
SHOWN = "SELECT id FROM orders WHERE _astrio_deleted_at IS NULL ORDER BY id"


def example(name: str, folder: Path, **changes: str) -> Integration:
    text = f"name: {name}\n{EXAMPLES[name]}"
    for old, new in changes.items():
        text = re.sub(rf"{old}: .*", f"{old}: {new}", text)
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return read_integration(file).integration


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_a_complete_run_does_not_meet_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[dict[str, Any]] = [{"id": number} for number in range(10)]
    with serve(lambda _: {"orders": orders}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        plan = example("shop-orders", tmp_path)
        run(plan)
        del orders[:2]
        assert run(plan, dry_run=True).difference.removed == 2  # type: ignore[union-attr] # a dry run has one
        assert run(plan).records.deleted == 2
        assert query(tmp_path / "orders.db", SHOWN) == [(each,) for each in range(2, 10)]
        del orders[:4]
        assert failed_run(plan).kind == "vanished"
        run(example("shop-orders", tmp_path, vanished='{rows: mark, most: "50%"}'))
        assert query(tmp_path / "orders.db", SHOWN) == [(each,) for each in range(6, 10)]
        orders.clear()
        most = '{rows: mark, most: "100%"}'
        assert failed_run(example("shop-orders", tmp_path, vanished=most)).kind == "vanished"


@pytest.mark.parametrize("when", ["event == 'deleted'", None])
def test_records_that_tell_of_a_deletion_need_only_their_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str | None
) -> None:
    changes = [
        {"id": 1, "status": "open", "updated_at": "2026-01-01T00:00:00Z"},
        {"id": 2, "status": "open", "updated_at": "2026-01-01T00:00:01Z"},
    ]
    with serve(lambda _: {"changes": changes}) as server:
        monkeypatch.setenv("SHOP_URL", server.url)
        (rows,) = re.findall(r"`deleted: (\{when.*?\})`", PAGE)
        plan = example("changed-orders", tmp_path, deleted=when or rows)
        run(plan)
        changes[:] = [{"id": 2, "event": "deleted", "updated_at": "2026-01-02T00:00:00Z"}]
        report = run(plan)
    assert (report.records.written, report.records.deleted) == (1, 1)
    query_ = SHOWN if when else "SELECT id FROM orders"
    assert query(tmp_path / "orders.db", query_) == [(1,)]
