"""`astrio backfill`: its report, its exit codes, and going on after a kill."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.flows.backfills import Windowed, sqlite_url
from tests.flows.running import query, stored_ids
from tests.support.command import Ended, astrio, begin, ended

ROWS = "SELECT count(*) FROM _astrio_partition WHERE partition LIKE 'backfill:%'"


class Command:
    """`astrio backfill` of one file."""

    def __init__(self, api: Windowed, folder: Path, server: str, **changes: Any) -> None:
        self.folder = folder
        self.environment = {"PREFECT_API_URL": server}
        file = folder / "items.yaml"
        file.write_text(yaml.safe_dump(api.document(sqlite_url(folder), **changes)))

    def words(self, since: str, until: str, *more: str) -> list[str]:
        return ["backfill", "items.yaml", "--since", since, "--until", until, *more]

    def run(self, *words: str) -> Ended:
        return astrio(*self.words(*words), folder=self.folder, environment=self.environment)

    def begin(self, *words: str) -> Any:
        return begin(*self.words(*words), folder=self.folder, environment=self.environment)


def test_the_report_is_told_in_words(tmp_path: Path, prefect_api: str) -> None:
    with Windowed().serving() as api:
        command = Command(api, tmp_path, prefect_api)
        first = command.run("2026-01-02", "2026-01-05", "--parallel", "2")
        again = command.run("2026-01-02", "2026-01-05")
    assert first.code == again.code == 0, first.err + again.err
    balance = "items: Completed: 24 fetched = 0 filtered + 0 rejected + 24 written + 0 unchanged"
    assert balance in first.out
    assert re.search(r"Parts +3: 3 done +\n", first.out)
    assert balance in again.out
    assert re.search(r"Parts +3: 3 done before +\n", again.out)
    assert stored_ids(tmp_path / "items.db") == list(range(8, 32))


def test_json_is_one_report_and_failed_chunks_are_listed_with_exit_code_1(
    tmp_path: Path, prefect_api: str
) -> None:
    with Windowed(broken={"2026-01-03"}).serving() as api:
        found = Command(api, tmp_path, prefect_api).run("2026-01-02", "2026-01-05", "--json")
    report = found.json()
    assert (found.code, report["state"]) == (1, "failed")
    assert report["window"] == {"start": "2026-01-02", "end": "2026-01-05"}
    assert [(each["part"], each["state"]) for each in report["parts"]] == [
        ("2026-01-02..2026-01-03", "completed"),
        ("2026-01-03..2026-01-04", "failed"),
        ("2026-01-04..2026-01-05", "completed"),
    ]
    assert report["parts"][1]["error"]["kind"] == "api"
    assert report["error"]["message"].startswith("1 of 3 parts failed. 2026-01-03..2026-01-04: ")
    assert "Run the same again" in report["error"]["advice"]
    assert report["records"]["fetched"] == report["records"]["written"] == 16


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("2026-01-05", "2026-01-02"), "window is empty"),
        (("2026-01-02", "2026-01-05", "--columns", "nope"), "does not have: nope"),
    ],
)
def test_what_cannot_be_is_told_at_once_with_exit_code_2(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    with Windowed().serving() as api:
        found = Command(api, tmp_path, "http://127.0.0.1:9/api").run(*words)
    assert (found.code, api.asked) == (2, [])
    assert told in found.err


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_backfill_goes_on_where_it_stopped(
    tmp_path: Path, prefect_api: str, how: signal.Signals
) -> None:
    reached, stopped = threading.Event(), threading.Event()

    async def hold(request: Any) -> None:
        if request.query["since"] >= "2026-01-04" and request.query.get("cursor") == "3":
            reached.set()
            await asyncio.to_thread(stopped.wait, 60)

    with Windowed(before=hold).serving() as api:
        command = Command(api, tmp_path, prefect_api)
        process = command.begin("2026-01-02", "2026-01-08", "--parallel", "1")
        assert reached.wait(60)
        process.send_signal(how)
        stopped.set()
        first = ended(process)
        assert first.code == (130 if how is signal.SIGINT else -how)
        assert query(tmp_path / "items.db", ROWS) == [(2,)]
        api.before = None
        api.asked.clear()
        second = command.run("2026-01-02", "2026-01-08", "--json")
    assert second.code == 0, second.err
    asked = {since[:10] for since, _ in api.asked}
    assert asked <= {f"2026-01-0{day}" for day in (4, 5, 6, 7)}
    report = second.json()
    assert [each["state"] for each in report["parts"]].count("done_before") == 2
    assert report["records"]["fetched"] == report["records"]["claimed"] == 48
    assert report["records"]["written"] + report["records"]["unchanged"] == 48
    assert stored_ids(tmp_path / "items.db") == list(range(8, 56))


def test_two_backfills_of_one_range_share_its_chunks(tmp_path: Path, prefect_api: str) -> None:
    met, waiting = asyncio.Event(), list[Any]()

    async def meet(request: Any) -> None:
        # Each process has a chunk of its own in hand before either goes on; where both have chosen
        # the same one at the same moment, one of them waits for it.
        waiting.append(request)
        if len(waiting) == 2:
            met.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(met.wait(), 10)

    with Windowed(before=meet).serving() as api:
        command = Command(api, tmp_path, prefect_api)
        words = ("2026-01-02", "2026-01-06", "--parallel", "1", "--json")
        processes = [command.begin(*words), command.begin(*words)]
        results = [ended(process) for process in processes]
    for each in results:
        assert each.code == 0, each.err + each.out
        assert each.json()["records"]["fetched"] == 32
    assert sorted(since[:10] for since, _ in api.asked) == [f"2026-01-0{n}" for n in (2, 3, 4, 5)]
    assert stored_ids(tmp_path / "items.db") == list(range(8, 40))
