"""`push: {to: {python: …}}`: records are given to a function, at least once, by a stable name."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import cursor_api, integration, record
from tests.flows.running import Faulty, failed_run, run
from tests.support.connectors import Write

from astrio.blocks.errors import ConnectorError
from astrio.flows.engine import engine
from astrio.flows.integration import Integration
from astrio.flows.planning import Run
from astrio.flows.replaying import Replay
from astrio.tasks.destinations.opening import quarantine_rows, stream_status
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport

KEEPS = """
import json, pathlib
def push(records, context):
    with open("given.jsonl", "a") as file:
        for each in records:
            file.write(json.dumps([context.chunk, each]) + chr(10))
"""


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def _ledger(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "postgres":
        monkeypatch.setenv("ASTRIO_LEDGER_URL", request.getfixturevalue("postgres_url"))


def pushing(url: str, size: int = 500, reference: str = "crm:push", **more: Any) -> Integration:
    to = {"python": reference, "size": size, **more.pop("to", {})}
    return integration(url, Path("unused"), push={"to": to, "key": ["id"]}, **more)


def given() -> list[tuple[str, int]]:
    """Return (chunk, id) of each record that the function has kept, in order."""
    file = Path("given.jsonl")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [(chunk, each["id"]) for chunk, each in map(json.loads, lines)]


def ids() -> list[int]:
    return [number for _, number in given()]


def test_the_function_is_given_every_record_once_in_chunks_of_a_page(write: Write) -> None:
    write("crm.py", KEEPS)
    with cursor_api([record(number) for number in range(25)]) as api:
        report = run(pushing(api.url, size=7))
    assert (report.records.fetched, report.records.written) == (25, 25)
    assert ids() == list(range(25))
    chunks = [chunk for chunk, _ in given()]
    assert [chunks.count(each) for each in dict.fromkeys(chunks)] == [7, 3, 7, 3, 5]


def test_dotted_targets_are_nested_and_the_record_is_a_copy(write: Write) -> None:
    write("crm.py", "def push(records):\n    assert records == [{'a': {'b': [1]}}]\n"
          "    records[0]['a']['b'].append(2)\n    return [None]\n")  # fmt: skip
    with cursor_api([record(1, name=[1])]) as api:
        file = pushing(api.url, map={"a.b": "name"})
        file = file.model_copy(update={"push": file.push.model_copy(update={"key": ()})})
        assert run(file).records.written == 1


def test_an_async_function_keeps_its_event_loop_over_all_chunks(write: Write) -> None:
    write("crm.py", "import asyncio\nLOOPS = set()\nasync def push(records, *, context):\n"
          "    await asyncio.sleep(0)\n    LOOPS.add(id(asyncio.get_running_loop()))\n"
          "    assert len(LOOPS) == 1 and context.integration == 'items'\n")  # fmt: skip
    with cursor_api([record(number) for number in range(30)]) as api:
        assert run(pushing(api.url)).records.written == 30


def test_it_tells_of_each_record_what_became_of_it(write: Write) -> None:
    write("crm.py", "from astrio.tasks.connectors import Rejected\n"
          "def push(records, context):\n"
          "    fates = ['written', 'unchanged', Rejected('no such country', field='name')]\n"
          "    return [fates[each['id']] for each in records]\n")  # fmt: skip
    with cursor_api([record(number) for number in range(3)]) as api:
        file = pushing(api.url)
        report = run(file)
    counts = report.records
    assert (counts.written, counts.unchanged, counts.rejected) == (1, 1, 1)
    [row] = quarantine_rows(file.push, file.name)
    assert (row["key"], row["field"], row["reason"]) == ("2", "name", "no such country")


def test_a_record_that_is_refused_by_an_exception_is_left_out_and_the_others_are_given(
    write: Write,
) -> None:
    write("crm.py", "from astrio.tasks.connectors import RejectRecordError\n" + KEEPS.replace(
        "    with", "    for each in records:\n        if each['id'] % 4 == 0:\n"
        "            raise RejectRecordError('no fours', record=each)\n    with"))  # fmt: skip
    with cursor_api([record(number) for number in range(10)]) as api:
        file = pushing(api.url)
        report = run(file)
    assert (report.records.written, report.records.rejected) == (7, 3)
    assert ids() == [1, 2, 3, 5, 6, 7, 9]
    assert {row["key"] for row in quarantine_rows(file.push, file.name)} == {"0", "4", "8"}


def test_what_it_refused_is_replayed_once_it_is_mended(write: Write, tmp_path: Path) -> None:
    write("crm.py", "from astrio.tasks.connectors import Rejected\n"
          "def push(records):\n    return [Rejected('down') for each in records]\n")  # fmt: skip
    with cursor_api([record(1), record(2)]) as api:
        file = pushing(api.url, maxRejected="100%")
        assert run(file).records.rejected == 2
        write("crm.py", KEEPS)
        assert run_replay(file).records.written == 2
        assert quarantine_rows(file.push, file.name) == []
    assert ids() == [1, 2]


def run_replay(file: Integration) -> RunReport:
    return asyncio.run(engine(Replay(file)))


def test_an_exception_fails_the_chunk_and_the_next_run_gives_it_again_by_the_same_name(
    write: Write,
) -> None:
    write("crm.py", KEEPS + "    if records[0]['id'] == 10: raise KeyError('ada@example.com')\n")
    with cursor_api([record(number) for number in range(25)]) as api:
        file = pushing(api.url)
        error = failed_run(file)
        assert isinstance(error, ConnectorError)
        assert "KeyError (connectors/crm.py, line 7)" in error.message
        assert "ada@" not in error.message
        write("crm.py", KEEPS)
        report = run(file)
    assert (report.records.fetched, report.state) == (25, "completed")
    names: dict[int, set[str]] = {}
    for chunk, number in given():
        names.setdefault(number, set()).add(chunk)
    assert sorted(names) == list(range(25))
    assert all(len(chunks) == 1 for chunks in names.values())
    assert [number for number in range(25) if ids().count(number) == 2] == list(range(10, 20))


def test_a_source_that_starts_again_gives_nothing_twice_that_was_taken(write: Write) -> None:
    write("crm.py", KEEPS)
    feed = "def items(context):\n    for page in range(4):\n        yield [{'id': page}]\n"
    write("feed.py", feed + "        if page == 1: raise OSError('down')\n")
    document = {
        "name": "feed",
        "source": {"python": "feed:items"},
        "push": {"to": {"python": "crm:push"}},
    }
    file = Integration.model_validate(document)
    failed_run(file)
    write(
        "feed.py", "def items(context):\n    for page in range(4):\n        yield [{'id': page}]\n"
    )
    report = run(file)
    assert ids() == [0, 1, 2, 3]
    assert report.records.written + report.records.unchanged == 4
    assert report.records.unchanged >= 1
    again = run(file)  # a later run reads and gives everything anew
    assert again.records.written == 4
    assert len({chunk for chunk, _ in given()}) == 8


def test_a_wrong_answer_of_the_function_fails_the_run_with_advice(write: Write) -> None:
    write("crm.py", "def push(records, context):\n    return [None]\n")
    with cursor_api([record(1), record(2)]) as api:
        error = failed_run(pushing(api.url))
    assert "told of 1 records, and was given 2 (connectors/crm.py, line 1)" in error.message
    assert "Return nothing, or for each record" in error.advice


def test_the_ledger_is_free_while_the_function_is_at_work(write: Write, tmp_path: Path) -> None:
    write("crm.py", "import pathlib, time\ndef push(records, context):\n"
          "    pathlib.Path('here').touch()\n"
          "    while not pathlib.Path('go').exists(): time.sleep(0.01)\n")  # fmt: skip
    with cursor_api([record(1)]) as api:
        plan = Run(pushing(api.url), RunOptions())
        thread = threading.Thread(target=lambda: asyncio.run(engine(plan)))
        thread.start()
        until = time.monotonic() + 30
        while not (tmp_path / "here").exists() and time.monotonic() < until:
            time.sleep(0.01)
        try:
            with Ledger().writing():
                pass  # whoever writes does not wait for the function
            assert thread.is_alive()
        finally:
            (tmp_path / "go").touch()
            thread.join(30)
    assert plan.account.report.records.written == 1


def test_a_dry_run_calls_only_a_function_that_knows_of_dry_runs(write: Write) -> None:
    write("crm.py", KEEPS)
    with cursor_api([record(number) for number in range(3)]) as api:
        report = run(pushing(api.url), dry_run=True)
        assert report.difference is not None
        assert (report.difference.new, ids()) == (3, [])
        write("crm.py", "def push(records, context):\n    assert context.dry_run\n"
              "    return ['unchanged'] * len(records)\n")  # fmt: skip
        told = run(pushing(api.url, to={"rehearse": True}), dry_run=True)
    assert told.difference is not None
    assert (told.difference.new, told.difference.unchanged) == (0, 3)


def test_a_run_that_is_killed_within_the_function_goes_on_with_the_same_chunk(
    write: Write, tmp_path: Path
) -> None:
    kills = "import os\n    file = pathlib.Path('kill')\n    if records[0]['id'] == 10 and "
    kills += "file.exists():\n        file.unlink()\n        os.kill(os.getpid(), 9)\n"
    write("crm.py", f"{KEEPS}    {kills}")
    (tmp_path / "kill").touch()
    api = Faulty([record(number) for number in range(30)])
    with api.serving():
        file = pushing(api.server.url)
        (tmp_path / "file.json").write_text(file.model_dump_json(by_alias=True, exclude_none=True))
        code = (
            "import asyncio, pathlib; from astrio.flows.integration import Integration; "
            "from astrio.flows.engine import run_without_prefect; "
            "text = pathlib.Path('file.json').read_text(); "
            "asyncio.run(run_without_prefect(Integration.model_validate_json(text)))"
        )
        killed = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, check=False, timeout=60
        )
        assert killed.returncode == -signal.SIGKILL
        report = run(file)
    assert report.state == "completed"
    assert sorted(set(ids())) == list(range(30))
    assert len(set(given())) == 30  # what was given twice has the same name
    assert len(given()) == 40
    assert stream_status(file.push, file.name).unfinished is False
