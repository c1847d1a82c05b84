"""`astrio events emit` and `astrio deliveries`, with a real receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from tests.deployments.cli.cli import call, called
from tests.support.server import Server, answer, serve
from tests.tasks.webhooks.outbox.delivering import SECRET, deliver, rows, states, subscribe, target
from typer.testing import CliRunner

from astrio.deployments.cli import app


@pytest.fixture(autouse=True)
def _secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)


class Receiver:
    """Refuses until it is mended."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.status = 500


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serve(lambda _: answer({"error": "no such user"}, status=found.status)) as server:
        found = Receiver(server)
        subscribe({"crm": target(server.url)}, on="user.*")
        yield found


def dead_letter(receiver: Receiver) -> str:
    called("events", "emit", "user.created", "--data", '{"id": 7}')
    deliver()
    (letter,) = called("deliveries", "list", "--state", "dead")
    return str(letter["id"])


def test_an_emitted_event_tells_where_it_goes(receiver: Receiver) -> None:
    told = called("events", "emit", "user.created", "--data", '{"id": 7}', "--key", "k")
    assert (told["new"], told["targets"]) == (True, ["crm"])
    again = called("events", "emit", "user.created", "--data", '{"id": 7}', "--key", "k")
    assert (again["new"], again["id"]) == (False, told["id"])
    result = call("events", "emit", "order.paid")
    assert "No trigger" in result.stderr
    assert "kept until a deliverer looks at it" in result.stderr


def test_data_may_come_from_a_file_or_standard_input(receiver: Receiver, folder: Path) -> None:
    (folder / "user.json").write_text('{"id": 8}')
    receiver.status = 200
    call("events", "emit", "user.created", "--data", "@user.json")
    deliver()
    assert receiver.server.requests[0].json() == {"id": 8}


@pytest.mark.parametrize("data", ["{", "@missing.json", '"text"', "NaN"])
def test_data_that_cannot_be_used_is_a_usage_error(data: str) -> None:
    result = call("events", "emit", "user.created", "--data", data)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_a_dead_letter_is_listed_and_shown_with_its_attempts(receiver: Receiver) -> None:
    identity = dead_letter(receiver)
    (letter,) = called("deliveries", "list")
    assert letter["event"] == "user.created"
    assert letter["target"] == "crm"
    assert letter["attempts"] == 3
    assert letter["status"] == 500
    (whole,) = called("deliveries", "show", identity)["deliveries"]
    assert [each["status"] for each in whole["history"]] == [500, 500, 500]
    assert json.loads(whole["history"][0]["answer"]) == {"error": "no such user"}
    assert "payload" not in whole
    shown = call("deliveries", "show", identity, "--payload")
    assert '{"id":7}' in shown.stdout
    assert "500" in call("deliveries", "list").stdout


def test_a_replayed_letter_keeps_its_id_and_is_signed_anew(receiver: Receiver) -> None:
    identity = dead_letter(receiver)
    receiver.status = 200
    assert called("deliveries", "replay", "--id", identity) == {"replayed": 1}
    deliver()
    assert states() == ["delivered"]
    last = receiver.server.requests[-1]
    assert last.headers["webhook-id"] == identity
    Webhook(SECRET).verify(last.body.decode(), dict(last.headers))


def test_letters_are_replayed_by_filters(receiver: Receiver) -> None:
    dead_letter(receiver)
    assert called("deliveries", "replay", "--event", "other") == {"replayed": 0}
    assert called("deliveries", "replay", "--event", "user.created", "--since", "1h") == {
        "replayed": 1
    }
    assert states() == ["pending"]


def test_what_is_cancelled_is_not_sent(receiver: Receiver) -> None:
    dead_letter(receiver)
    called("deliveries", "replay", "--all")
    assert called("deliveries", "cancel", "--target", "crm") == {"cancelled": 1}
    sent = len(receiver.server.requests)
    deliver()
    assert states() == ["cancelled"]
    assert len(receiver.server.requests) == sent


@pytest.mark.parametrize("command", ["replay", "cancel"])
def test_an_unknown_id_or_target_is_a_usage_error(receiver: Receiver, command: str) -> None:
    result = call("deliveries", command, "nope")
    assert (result.exit_code, "There is no delivery or event nope" in result.stderr) == (2, True)
    result = call("deliveries", command, "--target", "nosuch")
    assert (result.exit_code, "There is no target nosuch" in result.stderr) == (2, True)
    assert call("deliveries", command, "--target", "crm").exit_code == 0


def test_the_beginning_of_an_id_is_enough_if_no_other_begins_so(receiver: Receiver) -> None:
    identity = dead_letter(receiver)
    [shown] = called("deliveries", "show", identity[:12])["deliveries"]
    assert shown["id"] == identity
    assert "1 delivery begins again." in call("deliveries", "replay", identity[:12]).stderr
    assert "1 delivery is called off." in call("deliveries", "cancel", identity[:12]).stderr
    dead_letter(receiver)
    result = call("deliveries", "replay", "msg_")
    assert result.exit_code == 2
    assert "Several ids begin with msg_" in result.stderr
    assert states() == ["cancelled", "dead"]


@pytest.mark.parametrize("columns", ["80", "60"])
def test_ids_are_whole_in_the_list_however_narrow_it_is(receiver: Receiver, columns: str) -> None:
    identity = dead_letter(receiver)
    shown = CliRunner(env={"COLUMNS": columns}).invoke(app, ["deliveries", "list"])
    assert identity in shown.stdout


def test_an_event_that_nobody_wanted_has_no_delivery(receiver: Receiver) -> None:
    emitted = called("events", "emit", "order.paid")
    result = call("deliveries", "show", emitted["id"])
    assert (result.exit_code, "No delivery was made of it" in result.stderr) == (0, True)


@pytest.mark.parametrize("command", ["replay", "cancel"])
def test_without_a_choice_nothing_is_changed(command: str) -> None:
    result = call("deliveries", command)
    assert result.exit_code == 2
    assert "which deliveries" in result.stderr


def test_what_is_unknown_is_told() -> None:
    assert called("deliveries", "list") == []
    assert "no such deliveries" in call("deliveries", "list").stderr
    assert call("deliveries", "show", "msg_x").exit_code == 2
    assert call("deliveries", "list", "--since", "soon").exit_code == 2
    assert call("deliveries", "enable", "x").exit_code == 2
    assert call("deliveries", "disable", "x").exit_code == 2
    assert call("deliveries", "rotate", "x").exit_code == 2
    assert "No target" in call("deliveries", "targets").stderr


def test_a_disabled_target_keeps_its_events_until_it_is_enabled(receiver: Receiver) -> None:
    call("deliveries", "disable", "crm")
    receiver.status = 200
    called("events", "emit", "user.created")
    deliver(lambda: states() == ["pending"])
    assert "disabled" in call("deliveries", "targets").stdout
    call("deliveries", "enable", "crm")
    deliver()
    assert states() == ["delivered"]


def test_the_state_of_targets_is_told(receiver: Receiver) -> None:
    dead_letter(receiver)
    (facts,) = called("deliveries", "targets")["targets"]
    assert facts["state"] == "failing"
    assert (facts["dead"], facts["attempts"], facts["success_rate"]) == (1, 3, 0)
    assert facts["events"][0]["event"] == "user.created"
    assert called("status")["deliveries"]["targets"][0]["dead"] == 1
    assert "crm" in call("status").stdout


def test_a_target_that_cannot_be_used_is_told_with_the_reason(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    emitted = called("events", "emit", "user.created")
    deliver(lambda: bool(rows("SELECT 1 FROM _astrio_delivery WHERE error <> ''")))
    (facts,) = called("deliveries", "targets")["targets"]
    assert facts["state"] == "unusable"
    assert "HOOK_SECRET is not set" in facts["held_up"]
    assert "crm: Not sent: The environment variable HOOK_SECRET" in (
        call("deliveries", "targets").stderr
    )
    shown = call("deliveries", "show", emitted["id"]).stdout
    assert "HOOK_SECRET is not set" in shown
    assert "Next attempt: " in shown


def test_both_secrets_sign_while_one_is_rotated(receiver: Receiver) -> None:
    receiver.status = 200
    subscribe({"own": target(receiver.server.url, secret=[])}, on="user.*")
    old = call("deliveries", "rotate", "own").stdout.strip()
    new = call("deliveries", "rotate", "own").stdout.strip()
    called("events", "emit", "user.created")
    deliver()
    request = receiver.server.requests[0]
    for secret in (old, new):
        Webhook(secret).verify(request.body.decode(), dict(request.headers))


def test_a_secret_that_astrio_did_not_make_is_not_rotated(receiver: Receiver) -> None:
    result = call("deliveries", "rotate", "crm")
    assert result.exit_code == 2
    assert "not one that astrio made" in result.stderr


def test_a_test_event_is_sent_at_once_and_told(receiver: Receiver) -> None:
    refused = call("deliveries", "test", "crm")
    assert refused.exit_code == 1
    assert "500" in refused.stdout
    receiver.status = 200
    told = called("deliveries", "test", "crm")
    assert (told["delivered"], told["status"]) == (True, 200)
    request = receiver.server.requests[-1]
    assert Webhook(SECRET).verify(request.body.decode(), dict(request.headers))["type"] == (
        "astrio.test"
    )
    assert called("deliveries", "list") == []
    assert call("deliveries", "test", "nobody").exit_code == 2


def test_the_receivers_page_tells_events_and_how_to_verify_but_no_secret(
    receiver: Receiver,
) -> None:
    hooks = target(f"{receiver.server.url}/secret-path")
    mapping = {"user.id": "id", "kind": "'user'"}
    subscribe({"crm": hooks}, on="user.*", map=mapping, filter="id > 5", order_by="id")
    page = call("deliveries", "page", "crm").stdout
    for words in ("`user.*`", '"id": "{{id}}"', "standardwebhooks", "id > 5", "3 times", "order"):
        assert words in page
    assert SECRET not in page
    assert "secret-path" not in page
