"""`astrio check`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.deployments.cli.cli import SHOP, call, called

RIGHT = SHOP.format(url="https://shop.example.com")
WRONG = RIGHT.replace("records:", "recrods:")
MISTAKE = "5:3: unknown key `recrods` in `source`; did you mean `records`?"


def test_a_right_file_exits_with_0_and_says_so_on_standard_error(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT)
    result = call("check", "shop.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "shop.yaml: ok (3 fields, upsert into orders)\n"


def test_a_mistake_is_one_line_on_standard_output_and_exits_with_2(folder: Path) -> None:
    Path("shop.yaml").write_text(WRONG)
    result = call("check", "shop.yaml")
    assert (result.exit_code, result.stdout) == (2, f"shop.yaml:{MISTAKE}\n")
    assert result.stderr == "shop.yaml: 1 mistake\n"


def test_a_warning_is_printed_and_exits_with_0(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT + "alerts: {errorThreshold: 5}\n")
    result = call("check", "shop.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("shop.yaml:14:1: warning: `alerts` is not active yet")
    assert result.stderr == "shop.yaml: ok (3 fields, upsert into orders; 1 warning)\n"


def test_without_a_file_all_integrations_here_and_below_integrations_are_checked(
    folder: Path,
) -> None:
    Path("integrations").mkdir()
    Path("integrations/shop.json").write_text('{"source": 1, "push": 2}')
    Path("broken.json").write_text('{"source": ')
    Path("shop.yml").write_text(RIGHT)
    Path("compose.yaml").write_text("services: {source: {}}\n")
    Path("package.json").write_text('{"scripts": {"source": "x"}}')
    Path("list.json").write_text("[1]")
    Path("notes.txt").write_text(WRONG)
    result = call("check")
    assert result.exit_code == 2
    assert {line.partition(":")[0] for line in result.stdout.splitlines()} == {
        "integrations/shop.json",
        "broken.json",
    }
    assert "shop.yml: ok" in result.stderr


def test_a_folder_stands_for_its_integrations(folder: Path) -> None:
    Path("more").mkdir()
    Path("more/shop.yaml").write_text(RIGHT)
    assert call("check", "more").stderr.startswith("more/shop.yaml: ok")


def test_a_name_finds_its_file_in_integrations(folder: Path) -> None:
    Path("integrations").mkdir()
    Path("integrations/shop.yaml").write_text(RIGHT)
    assert call("check", "shop").stderr.startswith("integrations/shop.yaml: ok")


def test_a_pass_through_file_is_said_to_keep_every_field(folder: Path) -> None:
    lines = RIGHT.splitlines()
    Path("shop.yaml").write_text("\n".join(lines[:5] + lines[11:]))
    assert call("check").stderr == "shop.yaml: ok (every field, upsert into orders)\n"


def test_json_lists_the_mistakes_of_every_file(folder: Path) -> None:
    Path("shop.yaml").write_text(WRONG)
    Path("right.yaml").write_text(RIGHT)
    result = call("check", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "files": [
            {"file": "right.yaml", "ok": True, "mistakes": []},
            {
                "file": "shop.yaml",
                "ok": False,
                "mistakes": [
                    {
                        "line": 5,
                        "column": 3,
                        "path": "source.recrods",
                        "message": MISTAKE.partition(": ")[2],
                        "warning": False,
                    }
                ],
            },
        ]
    }


def test_the_same_file_named_twice_is_checked_once(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT)
    assert len(called("check", "shop.yaml", "shop")["files"]) == 1


def test_a_missing_file_exits_with_2_and_names_those_that_are_here(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT)
    result = call("check", "shp.yaml")
    assert result.exit_code == 2
    assert "There is no file or integration shp.yaml" in result.stderr
    assert "shop.yaml" in result.stderr


def test_an_unknown_name_exits_with_2(folder: Path) -> None:
    result = call("check", "shp")
    assert result.exit_code == 2
    assert "astrio init" in result.stderr


def test_an_empty_folder_exits_with_2(folder: Path) -> None:
    result = call("check")
    assert result.exit_code == 2
    assert "There is no integration file here" in result.stderr


def test_a_file_that_cannot_be_read_is_no_traceback(folder: Path) -> None:
    Path("shop.yaml").symlink_to("nowhere")
    result = call("check", "shop.yaml", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["kind"] == "configuration"


def test_terminal_escapes_in_a_file_are_spelled_out(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT + '"\\e[31mred": 1\n')
    assert "\\x1b[31mred" in call("check").stdout


def test_two_files_of_one_name_are_told(folder: Path) -> None:
    Path("copy.yaml").write_text(RIGHT)
    Path("shop.yaml").write_text(RIGHT)
    result = call("check")
    assert result.exit_code == 2
    words = (
        "shop.yaml:1:7: `shop` is the name of copy.yaml too: integrations are told apart by it\n"
    )
    assert result.stdout == words


def test_a_file_of_the_folder_that_is_left_out_is_told(folder: Path) -> None:
    Path("shop.yaml").write_text(RIGHT)
    Path("notes.yaml").write_text("hello: world\n")
    result = call("check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("notes.yaml: left out, as it has no")
