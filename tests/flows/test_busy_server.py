"""A Prefect server that is too busy: parts are put off, and what is done stays done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from tests.flows.backfills import Windowed, sqlite_url
from tests.flows.running import stored_ids
from tests.support.command import Ended, astrio
from tests.support.prefect_proxy import busy_server

RUN = "POST /api/flow_runs/"
SUBFLOW = "POST /api/task_runs/"
SLOTS = "POST /api/v2/concurrency_limits/increment-with-lease"
TWO_DAYS = ("--since", "2026-01-02", "--until", "2026-01-04", "--parallel", "1")


def commanded(
    folder: Path, prefect_api: str, refused: Callable[[str, bytes], bool], *words: str
) -> tuple[Ended, list[Any]]:
    """Run a command on a file, and return its end and the windows that were asked for."""
    with Windowed().serving() as api, busy_server(prefect_api, refused) as variables:
        file = folder / "items.yaml"
        file.write_text(yaml.safe_dump(api.document(sqlite_url(folder))))
        command, *more = words
        end = astrio(command, str(file), *more, "--json", folder=folder, environment=variables)
        return end, api.asked


def ending(request: str, body: bytes) -> bool:
    return request.endswith("/set_state") and b'"COMPLETED"' in body


def test_parts_that_the_server_is_too_busy_for_are_tried_again(
    tmp_path: Path, prefect_api: str
) -> None:
    refused = Counter[str]()

    def at_first(request: str, body: bytes) -> bool:
        """Refuse a part's beginning, then its first task, then to hear that it is done."""
        what = "ending" if ending(request, body) else request
        refused[what] += what in (SUBFLOW, SLOTS, "ending")
        return refused[what] == 1

    end, asked = commanded(tmp_path, prefect_api, at_first, "backfill", *TWO_DAYS)
    assert end.code == 0, end.out
    report = end.json()
    assert set(refused) >= {SUBFLOW, SLOTS, "ending"}
    assert [each["state"] for each in report["parts"]] == ["completed", "completed"]
    assert report["records"]["fetched"] == report["records"]["written"] == 16
    assert len(asked) == 2
    assert stored_ids(tmp_path / "items.db") == list(range(8, 24))


def test_parts_that_the_server_stays_too_busy_for_fail_for_that(
    tmp_path: Path, prefect_api: str
) -> None:
    end, asked = commanded(
        tmp_path, prefect_api, lambda request, _: request == SUBFLOW, "backfill", *TWO_DAYS
    )
    assert end.code == 1
    assert [each["error"]["kind"] for each in end.json()["parts"]] == ["server", "server"]
    assert asked == []


def test_a_run_is_done_though_the_server_does_not_hear_of_it(
    tmp_path: Path, prefect_api: str
) -> None:
    end, _ = commanded(tmp_path, prefect_api, ending, "run")
    assert end.code == 0, end.out
    report = end.json()
    assert (report["state"], report["records"]["written"]) == ("completed", 80)
    assert "Prefect does not know it" in report["warnings"][-1]


def test_a_run_that_the_server_is_too_busy_to_begin_fails_for_that(
    tmp_path: Path, prefect_api: str
) -> None:
    end, asked = commanded(tmp_path, prefect_api, lambda request, _: request == RUN, "run")
    assert end.code == 1
    error = end.json()["error"]
    assert error["kind"] == "server"
    assert "503" in error["message"]
    assert asked == []
