"""`astrio run --dry-run`: what it shows, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.deployments.cli.test_run import api, write
from tests.flows.api import cursor_api, record
from tests.support.command import astrio

from astrio.tasks.ledger.streams import known_streams


def known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the integrations that the ledger of the commands knows."""
    with monkeypatch.context() as patched:
        patched.setenv("ASTRIO_HOME", str(folder / "astrio-home"))
        return [each.integration for each in known_streams()]


def test_a_dry_run_writes_nothing_and_is_known_to_nobody(
    tmp_path: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(number) for number in range(3)]
    rules = [{"field": "email", "type": "email"}]
    how = {"folder": tmp_path, "environment": api(prefect_api)}
    with cursor_api(records) as server:
        file = write(tmp_path, server.url, validate=rules)
        first = astrio("run", str(file), "--dry-run", "--json", **how)
        assert not (tmp_path / "items.db").exists()
        after_dry = known(tmp_path, monkeypatch)
        assert astrio("run", str(file), **how).code == 0
        after_real = known(tmp_path, monkeypatch)
        before = (tmp_path / "items.db").read_bytes()
        records[:2] = [record(0, name="Ann"), record(1, email="nobody")]
        shown = astrio("run", str(file), "--dry-run", **how)
    assert first.code == 0, first.err
    report = first.json()
    assert (report["dry_run"], report["records"]["written"]) == (True, 3)
    assert report["difference"]["new"] == 3
    assert report["difference"]["table_created"]
    assert (after_dry, after_real) == ([], ["items"])
    assert shown.code == 0, shown.err
    assert "Dry run, nothing written. Completed with rejects: 3 fetched" in shown.out
    assert "0 new, 1 changed, 1 unchanged, 0 removed" in shown.out
    assert ["0", "name", "Name", "0", "Ann"] in [line.split() for line in shown.out.splitlines()]
    assert "astrio preview" in shown.err
    assert (tmp_path / "items.db").read_bytes() == before


def test_a_dry_run_that_fails_ends_with_one_and_says_so(tmp_path: Path, prefect_api: str) -> None:
    (tmp_path / "items.db").write_text("no database")
    with cursor_api([record(1)]) as server:
        file = write(tmp_path, server.url)
        run = astrio(
            "run", str(file), "--dry-run", "--json", folder=tmp_path, environment=api(prefect_api)
        )
    assert run.code == 1
    report = run.json()
    assert (report["state"], report["dry_run"]) == ("failed", True)
    assert report["error"]["kind"] == "destination"
