"""`astrio call`: one request for one record."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.deployments.cli.cli import call, called
from tests.support.server import HANG, answer, serve, serve_raw
from typer.testing import CliRunner

from astrio.deployments.cli import app
from astrio.deployments.deploying.collecting import collect, folder_files

ADA = '{"user": {"id": 7, "email": "ada@example.com"}}'


def action(folder: Path, url: str, more: str = "") -> None:
    body = 'body: {id: "{{user.id}}", key: "${env:CALL_KEY}"}'
    text = f"url: {url}/users/{{{{user.id}}}}\n{body}\nretry: {{max_retries: 0}}\n{more}"
    (folder / "hello.yaml").write_text(text, "utf-8")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_KEY", "the-key-of-the-test")


def failed(*words: str) -> tuple[int, Any]:
    result = call(*words, "--json")
    assert "Traceback" not in result.stderr
    return result.exit_code, json.loads(result.stdout)


def test_the_request_is_sent_and_the_answer_shown(folder: Path) -> None:
    with serve(lambda _: answer({"created": 7}, 201)) as server:
        action(folder, server.url)
        result = call("call", "hello", "--data", ADA)
    assert result.exit_code == 0
    assert f"POST {server.url}/users/7\n  201 in " in result.stdout
    assert '{"created": 7}' in result.stdout
    assert [each.json() for each in server.requests] == [{"id": 7, "key": "the-key-of-the-test"}]


def test_json_prints_one_object(folder: Path) -> None:
    with serve(lambda _: {"token": "abcdefghij", "ok": True}) as server:
        action(folder, server.url)
        found = called("call", "hello.yaml", "--data", ADA)
    assert found.pop("milliseconds") >= 0
    assert found == {
        "status": 200,
        "request": f"POST {server.url}/users/7",
        "body": '{"token": "***", "ok": true}',
        "error": None,
    }


def test_the_record_comes_from_a_file_or_from_standard_input(folder: Path) -> None:
    (folder / "ada.json").write_text(ADA, "utf-8")
    with serve(lambda _: {}) as server:
        action(folder, server.url)
        assert call("call", "hello", "--data", "@ada.json").exit_code == 0
        result = CliRunner().invoke(app, ["call", "hello", "--data", "-"], input=ADA)
        assert result.exit_code == 0
    assert [each.path for each in server.requests] == ["/users/7", "/users/7"]


def test_a_failure_has_the_answer_and_exit_code_1(folder: Path) -> None:
    with serve(lambda _: answer({"message": "no such list"}, 422)) as server:
        action(folder, server.url, "errors: {422: Ask Ada.}\n")
        code, found = failed("call", "hello", "--data", ADA)
        shown = call("call", "hello", "--data", ADA)
    assert code == 1
    assert (found["status"], found["body"]) == (422, '{"message": "no such list"}')
    assert found["error"]["kind"] == "api"
    assert found["error"]["advice"] == "Ask Ada."
    assert "422 in " in shown.stdout
    assert "Ask Ada." in shown.stderr


def test_an_outcome_that_is_unknown_is_told_to_be_so(folder: Path) -> None:
    with serve_raw(HANG) as server:
        action(folder, server.url, "timeout: {read: 0.2}\n")
        code, found = failed("call", "hello", "--data", ADA)
        assert len(server.requests) == 1
    assert code == 1
    assert (found["status"], found["error"]["kind"]) == (None, "unknown")


def test_a_record_that_breaks_a_rule_is_not_sent(folder: Path) -> None:
    with serve({}) as server:
        action(folder, server.url, "validate: [{field: user.email, type: email}]\n")
        code, found = failed("call", "hello", "--data", '{"user": {"id": 1, "email": "ada"}}')
        assert server.requests == []
    assert code == 1
    assert found["error"]["kind"] == "rejected"
    assert "user.email is not a valid e-mail address" in found["error"]["message"]


def test_a_dry_run_sends_nothing_and_needs_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALL_KEY")
    with serve({}) as server:
        action(folder, server.url, 'auth: {token: "${env:CALL_KEY}"}\n')
        shown = call("call", "hello", "--data", ADA, "--dry-run")
        found = called("call", "hello", "--data", ADA, "--dry-run")
        assert server.requests == []
    assert f"POST {server.url}/users/7\nContent-Type: application/json\n" in shown.stdout
    assert '{"id":7,"key":"***"}' in shown.stdout
    assert "Nothing was sent. It would be signed by `auth` (bearer)." in shown.stderr
    assert found["would_send"]["body"] == '{"id":7,"key":"***"}'


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{", "--data is no JSON"),
        ("@none.json", "--data cannot be read"),
        ("[1]", "one record"),
    ],
)
def test_data_that_cannot_be_used_is_refused(data: str, told: str, folder: Path) -> None:
    action(folder, "http://127.0.0.1:1")
    result = call("call", "hello", "--data", data)
    assert result.exit_code == 2
    assert told in result.stderr


def test_what_is_not_set_is_told_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALL_KEY")
    with serve({}) as server:
        action(folder, server.url)
        code, found = failed("call", "hello", "--data", ADA)
        assert server.requests == []
    assert code == 2
    assert "CALL_KEY" in found["error"]["message"]


def test_no_output_holds_the_secret(folder: Path) -> None:
    said = answer({"message": "wrong key the-key-of-the-test"}, 401)
    with serve(lambda _: said) as server:
        action(folder, server.url)
        result = call("call", "hello", "--data", ADA)
    assert "the-key-of-the-test" not in result.stdout + result.stderr
    assert result.exit_code == 1


def test_check_finds_actions_in_the_folder(folder: Path) -> None:
    action(folder, "https://a.example")
    (folder / "slack.json").write_text('{"url": "https://a.example", "method": "GET"}', "utf-8")
    (folder / "other.yaml").write_text("url: https://a.example\n", "utf-8")
    result = call("check")
    assert result.exit_code == 0
    assert re.findall(r"^(\S+): ok \(one (\w+) for", result.stderr, re.M) == [
        ("hello.yaml", "POST"),
        ("slack.json", "GET"),
    ]


def test_an_action_is_called_and_not_deployed(folder: Path) -> None:
    (folder / "hello.yaml").write_text("url: https://a.example\nmethod: GET\n", "utf-8")
    collected = collect(folder_files(folder))
    assert not collected.found
    assert not collected.mistakes
    result = call("run", "hello.yaml")
    assert result.exit_code == 2
    assert "is an action" in result.stderr
