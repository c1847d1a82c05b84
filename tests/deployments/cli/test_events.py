"""astrio events: the inbox by the command line, and samples signed as the vendor would."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.deployments.cli.cli import call, called
from tests.support.gateway import KEY, gateway, integration, write
from tests.support.server import unused_url
from typer.testing import CliRunner

from astrio.deployments.cli import app
from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.inbox.appending import Appender
from astrio.tasks.webhooks.inbox.claiming import Claims
from astrio.tasks.webhooks.inbox.event import Arrival

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _inbox(home: Path) -> None:
    arrivals = [
        Arrival("shop", f"d{number}", [(b"x-token", b"canary")], b'{"id": 1}', NOW + number * 3600)
        for number in range(3)
    ]
    with closing(Appender(Ledger())) as appender:
        appender.append([*arrivals, Arrival("other", "d9", [], b"\xff", NOW)])
    claims = Claims(Ledger(), lambda: NOW + 10**6)
    first, second = claims.claim("shop", 2)
    claims.done([first.id])
    claims.dead([second.id], "poison")


def deliveries(*words: str) -> list[str]:
    return [event["delivery_id"] for event in called("events", "list", *words)]


def test_events_are_listed_the_latest_first() -> None:
    assert deliveries() == ["d9", "d2", "d1", "d0"]
    assert deliveries("--source", "shop", "--limit", "1") == ["d2"]
    assert deliveries("--state", "dead", "--state", "done") == ["d1", "d0"]
    assert deliveries("--since", "2027-01-15T09:00:00", "--source", "shop") == ["d2", "d1"]
    assert deliveries("--until", "2027-01-15T09:00:00Z") == ["d9", "d0"]
    assert "poison" in call("events", "list").stdout


def test_an_event_is_shown_with_headers_and_body_and_without_secrets() -> None:
    shown = called("events", "show", "d1")
    assert (shown["state"], shown["error"], shown["attempts"]) == ("dead", "poison", 1)
    assert shown["body"] == '{"id": 1}'
    assert shown["headers"] == [["x-token", "***"]]
    assert called("events", "show", shown["id"]) == shown
    text = call("events", "show", "d1").stdout
    assert '{"id": 1}' in text
    assert "canary" not in text


def test_the_raw_body_can_be_had_alone() -> None:
    assert call("events", "show", "d9", "--body").stdout_bytes == b"\xff"


def test_an_event_that_is_not_there_is_told() -> None:
    result = call("events", "show", "nope")
    assert (result.exit_code, "There is no event nope" in result.stderr) == (2, True)


def test_an_unknown_event_is_not_replayed() -> None:
    result = call("events", "replay", "nope")
    assert (result.exit_code, "There is no event nope" in result.stderr) == (2, True)


def test_an_event_that_was_purged_is_not_replayed() -> None:
    called("events", "purge", "d1", "--yes")
    result = call("events", "replay", "d1", "d2")
    assert (result.exit_code, "the body of d1 was purged" in result.stderr) == (2, True)
    assert called("events", "show", "d2")["replays"] == 0


def test_the_beginning_of_an_id_is_enough_if_no_other_begins_so() -> None:
    whole = called("events", "show", "d9")["id"]
    assert called("events", "show", whole[:-1])["id"][:-1] == whole[:-1]
    assert "1 event replayed." in call("events", "replay", "d9").stderr
    result = call("events", "show", "d")
    assert (result.exit_code, "Several ids begin with d: d0, d1, d2, d9" in result.stderr) == (
        2,
        True,
    )


def test_an_unknown_event_is_not_purged() -> None:
    result = call("events", "purge", "nope", "--yes")
    assert (result.exit_code, "There is no event nope" in result.stderr) == (2, True)


@pytest.mark.parametrize("columns", ["80", "60"])
def test_ids_are_whole_in_the_list_however_narrow_it_is(columns: str) -> None:
    whole = [each["id"] for each in called("events", "list")]
    shown = CliRunner(env={"COLUMNS": columns}).invoke(app, ["events", "list"])
    assert all(each in shown.stdout for each in whole)


def test_one_many_or_a_range_are_replayed() -> None:
    assert called("events", "replay", "d1") == {"replayed": 1}
    assert called("events", "replay", "--source", "shop", "--since", "2027-01-15T08:30:00") == {
        "replayed": 2
    }
    assert called("events", "replay", "--all") == {"replayed": 4}
    assert called("events", "show", "d1")["replays"] == 3


@pytest.mark.parametrize("command", ["replay", "purge"])
def test_nothing_is_touched_unless_it_is_said_what(command: str) -> None:
    result = call("events", command)
    assert (result.exit_code, "Which events?" in result.stderr) == (2, True)


def test_what_is_done_or_dead_is_purged() -> None:
    assert called("events", "purge", "--all", "--yes") == {"purged": 2}
    assert called("events", "show", "d1")["body"] is None
    assert called("events", "show", "d2")["body"] == '{"id": 1}'


@pytest.mark.parametrize("words", [("--state", "odd"), ("--since", "yesterday")])
def test_a_wrong_option_is_told(words: tuple[str, ...]) -> None:
    assert call("events", "list", *words).exit_code == 2


def test_a_sample_is_signed_and_posted_as_the_vendor_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", KEY)
    write(tmp_path, integration(), integration("git", path="/hooks/git", scheme="github"))
    payload = tmp_path / "payload.dat"
    payload.write_bytes(b'{"id": 5}')
    with gateway(tmp_path) as running:
        to = ("--dir", str(tmp_path), "--url", f"http://127.0.0.1:{running.port}")
        sent = called("events", "send", "shop", str(payload), *to)
        assert (sent["status"], json.loads(sent["answer"])) == (202, {"status": "accepted"})
        assert called("events", "send", "git", str(payload), *to)["status"] == 202
        again = called("events", "send", "shop", str(payload), "--id", sent["id"], *to)
        assert json.loads(again["answer"]) == {"status": "duplicate"}
        monkeypatch.setenv("SHOP_SECRET", "whsec_" + "A" * 43 + "=")
        assert call("events", "send", "shop", str(payload), *to).exit_code == 1


def test_a_sample_that_nobody_takes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", KEY)
    write(tmp_path)
    payload = tmp_path / "payload.dat"
    payload.write_bytes(b"{}")
    to = ("--dir", str(tmp_path), "--url", unused_url())
    assert "No gateway answers" in call("events", "send", "shop", str(payload), *to).stderr
    assert call("events", "send", "nobody", str(payload), *to).exit_code == 2
    assert call("events", "send", "shop", str(tmp_path / "none"), *to).exit_code == 2
