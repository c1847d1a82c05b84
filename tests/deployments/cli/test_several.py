"""`status`, `quarantine`, `check` and `deploy` of an integration with several destinations."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.deployments.cli.cli import call, called, shop

from astrio.deployments.deploying.collecting import collect
from astrio.deployments.remembering import remember_run
from astrio.flows.engine import engine, run_without_prefect
from astrio.flows.reading.read import read_integration
from astrio.flows.replaying import Replay
from astrio.flows.summary import markdown
from astrio.tasks.report import RunReport

LIST = """push:
  - {to: {url: "sqlite:///orders.db"}, table: orders, mode: upsert, key: [order_id]}
  - {to: {url: "sqlite:///orders.db"}, table: archive, mode: append}
  - {to: {url: "sqlite:///elsewhere.db"}, table: copies, mode: append}
"""


@pytest.fixture
def several(folder: Path) -> Path:
    """A folder in which an integration with three destinations has run."""
    with shop(folder):
        file = folder / "shop.yaml"
        text = file.read_text()
        whole = "".join(line for line in text.splitlines(True) if not line.startswith("push:"))
        file.write_text(whole + LIST)
        plan = read_integration(file).integration
        report = asyncio.run(run_without_prefect(plan))
        assert remember_run(file, plan, report) is None
    return folder


def test_status_tells_of_each_stream(several: Path) -> None:
    for words in (["status"], ["status", "shop"], ["status", "shop.yaml"]):
        streams = called(*words)["streams"]
        assert sorted(each["table"] for each in streams) == ["archive", "copies", "orders"]
        assert {each["state"] for each in streams} == {"completed_with_rejects"}
        assert {each["quarantined"] for each in streams} == {2}
    shown = call("status").stdout
    assert "shop (archive)" in " ".join(shown.split())


def test_the_quarantine_is_listed_with_its_destination(several: Path) -> None:
    rows = called("quarantine", "list", "shop")
    assert sorted({row["destination"] for row in rows}) == ["archive", "copies", "orders"]
    assert len(rows) == 6
    assert len(called("quarantine", "list", "shop", "--to", "archive")) == 2
    assert len(called("quarantine", "list", "shop", "--to", "elsewhere")) == 2
    result = call("quarantine", "list", "shop", "--to", "nowhere")
    assert (result.exit_code, "called nowhere" in result.stderr) == (2, True)


def test_records_of_one_are_discarded_and_of_several_it_must_be_said_which(several: Path) -> None:
    refused = call("quarantine", "discard", "shop", "--all", "--yes")
    assert (refused.exit_code, "Say which with --to" in refused.stderr) == (2, True)
    assert (
        "orders, archive, copies" in " ".join(refused.stderr.split()) or "archive" in refused.stderr
    )
    gone = called("quarantine", "discard", "shop", "--all", "--yes", "--to", "copies")
    assert gone == {"discarded": 2}
    left = {row["destination"] for row in called("quarantine", "list", "shop")}
    assert left == {"orders", "archive"}


def test_a_replay_goes_into_the_destination_that_is_chosen(several: Path) -> None:
    plan = read_integration(several / "shop.yaml").integration
    with pytest.raises(Exception, match="several destinations"):
        Replay(plan)
    report = asyncio.run(engine(Replay(plan.toward(plan.push.all[1]))))
    assert (report.records.fetched, report.records.rejected) == (2, 2)


def test_check_tells_where_the_records_go(several: Path) -> None:
    result = call("check", "shop.yaml")
    assert result.exit_code == 0
    told = " ".join(result.stderr.split())
    assert "upsert into orders and append into archive and append into copies" in told


def test_what_cannot_be_deployed_is_told_with_its_place_in_the_list(folder: Path) -> None:
    file = folder / "shop.yaml"
    file.write_text(
        'name: shop\nsource: {api: {base_url: "https://shop.example.com"}}\npush:\n'
        '  - {to: {url: "sqlite:////tmp/a.db"}, table: a}\n'
        '  - {to: {url: "postgresql://me@db/x", password: hunter2hunter2}, table: b}\n'
        '  - {to: {url: "sqlite:///c.db"}, table: c}\n'
    )
    [lines] = collect([file], pooled=True).mistakes.values()
    places = [line.removeprefix(f"{file}:").partition(" ")[0] for line in lines]
    assert places == ["5:50:", "6:16:"]


FILES = """push:
  - {to: {url: "sqlite:///orders.db"}, table: orders, mode: upsert, key: [order_id]}
  - {to: {file: out/orders.jsonl}}
"""


@pytest.fixture
def with_a_file(folder: Path) -> RunReport:
    """The report of an integration that has run into a table and a file."""
    with shop(folder):
        file = folder / "shop.yaml"
        text = file.read_text()
        whole = "".join(line for line in text.splitlines(True) if not line.startswith("push:"))
        file.write_text(whole + FILES)
        plan = read_integration(file).integration
        report = asyncio.run(run_without_prefect(plan))
        assert remember_run(file, plan, report) is None
    return report


def test_a_file_is_called_by_its_path_wherever_people_read_it(with_a_file: RunReport) -> None:
    told = markdown(with_a_file)
    assert "Into orders" in told
    assert "Into out/orders.jsonl" in told
    made_up = with_a_file.destinations[1].table
    assert made_up.startswith("file_")
    shown = " ".join(call("status").stdout.split())
    listed = " ".join(call("quarantine", "list", "shop").stdout.split())
    refused = " ".join(call("quarantine", "discard", "shop", "--all", "--yes").stderr.split())
    for text in (told, shown, listed, refused):
        assert made_up not in text
    for text in (shown, refused):
        assert "out/orders.jsonl" in text.replace(" ", "")


def test_a_file_is_chosen_by_its_path(with_a_file: RunReport) -> None:
    rows = called("quarantine", "list", "shop", "--to", "out/orders.jsonl")
    assert {row["destination"] for row in rows} == {with_a_file.destinations[1].table}
