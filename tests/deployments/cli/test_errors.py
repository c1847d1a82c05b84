"""What every command does when something is wrong: one message, the right stream and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.table import Table
from tests.deployments.cli.cli import SHOP, call

from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    CredentialsError,
    FatalError,
    LeaseHeldError,
)
from astrio.blocks.redaction import remember
from astrio.deployments.cli.output import clean, print_json, reporting, say, show

ASTRIO = "from astrio.deployments.cli import main; main()"


def raised(error: BaseException, *, as_json: bool = False, debug: bool = False) -> int:
    with pytest.raises(typer.Exit) as caught, reporting(as_json=as_json, debug=debug):
        raise error
    return caught.value.exit_code


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ASTRIO, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 2),
        (CredentialsError("x"), 1),
        (LeaseHeldError("x"), 1),
        (FatalError("x"), 1),
        (ValueError("x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert raised(error) == code


def test_an_error_is_message_request_and_advice_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    raised(AstrioError("It broke.", advice="Mend it.", request="GET https://x.example"))
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Error: It broke.\n  Request: GET https://x.example\n  Mend it.\n")


def test_with_json_the_error_is_one_object_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    raised(CredentialsError("No.", advice="Ask.", request="GET x"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "error": {"kind": "credentials", "message": "No.", "advice": "Ask.", "request": "GET x"}
    }


def test_ctrl_c_with_json_is_one_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    raised(KeyboardInterrupt(), as_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "cancelled"


def test_an_unexpected_error_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    raised(ZeroDivisionError("division by zero"))
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err
    assert "--debug" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    raised(ZeroDivisionError("division by zero"), debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("end", [typer.Exit(3), typer.Abort()])
def test_an_exit_passes_through_untouched(end: Exception) -> None:
    with pytest.raises(type(end)) as caught, reporting():
        raise end
    assert caught.value is end


def test_no_secret_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    remember("canary-77aa")
    raised(AstrioError("canary-77aa", advice="canary-77aa", request="canary-77aa"), debug=True)
    raised(AstrioError("canary-77aa"), as_json=True)
    table = Table("A", "B")
    table.add_row(clean("canary-77aa"), "canary-77aa")
    show(table)
    say("canary-77aa")
    print_json({"canary-77aa is a key": ["canary-77aa", {"deep": "canary-77aa"}]})
    out, err = capsys.readouterr()
    assert "canary-77aa" not in (out + err).replace("canary-77aa is a key", "")


def test_debug_may_stand_after_the_command(folder: Path) -> None:
    Path("shop.yaml").write_text("a: 1\n")
    assert "Traceback" in call("preview", "shop.yaml", "--debug").stderr
    assert "Traceback" in call("--debug", "preview", "shop.yaml").stderr
    assert "Traceback" not in call("preview", "shop.yaml").stderr


def test_an_unknown_command_exits_with_2_and_a_suggestion(folder: Path) -> None:
    result = call("chekc")
    assert result.exit_code == 2
    assert "Did you mean 'check'" in result.stderr


def test_a_usage_error_with_json_is_one_object(folder: Path) -> None:
    result = call("preview", "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "usage"
    assert "file" in error["message"]


def test_no_words_at_all_show_the_help(folder: Path) -> None:
    assert "Usage: astrio" in call().output


def test_help_lists_every_command_with_one_line_about_it(folder: Path) -> None:
    shown = call("--help").stdout
    assert all(f" {name} " in shown for name in ("check", "init", "preview", "run", "status"))
    assert "nothing is sent" in shown


def test_each_command_explains_itself(folder: Path) -> None:
    for name in ("check", "init", "new", "preview", "schema", "status", "test", "functions"):
        assert f"Usage: astrio {name}" in call(name, "--help").stdout
    assert "Usage: astrio quarantine list" in call("quarantine", "list", "-h").stdout


def test_version_prints_the_version(folder: Path) -> None:
    result = call("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("astrio")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "shop.yaml"), 0),
        (("check", "wrong.yaml"), 2),
        (("check", "--colour"), 2),
    ],
)
def test_the_process_exits_with_the_contract_s_code(
    words: tuple[str, ...], code: int, folder: Path
) -> None:
    Path("shop.yaml").write_text(SHOP.format(url="https://shop.example.com"))
    Path("wrong.yaml").write_text("name: shop\n")
    assert run(*words, folder=folder).returncode == code


def test_a_reader_that_has_gone_ends_the_command_quietly(folder: Path) -> None:
    command = f"{sys.executable} -c '{ASTRIO}' schema | head -1"
    result = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.stdout == "{\n"
    assert result.stderr == ""


def test_a_terminal_that_knows_no_unicode_gets_escapes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("PYTHONUTF8", "0")
    result = run("functions", "concat", folder=folder)
    assert result.returncode == 0
    assert result.stdout.startswith("concat(value, \\u2026)")
