"""`astrio preview`: what changed since the last run, and `--watch`."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.deployments.cli.cli import call, called, shop
from tests.support.command import begin
from tests.support.server import Server

from astrio.deployments.cli.preview import saves
from astrio.flows.last_mapping import LastMapping, last_mapping, remember_mapping
from astrio.flows.reading.read import read_integration

FILE = Path("shop.yaml")


def remember() -> None:
    """Leave what a run of the file as it is would leave."""
    remember_mapping(read_integration(FILE).integration)


def edit(old: str, new: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    FILE.write_text(text.replace(old, new), "utf-8")


def test_nothing_has_changed_where_no_run_is_known_or_the_mapping_is_that_of_the_last(
    folder: Path,
) -> None:
    with shop(folder):
        assert called("preview", "shop.yaml")["changes"] is None
        remember()
        assert called("preview", "shop.yaml")["changes"] is None
        assert "Changed since" not in call("preview", "shop.yaml").stdout


def test_changed_expressions_are_shown_with_what_they_do_to_the_sample(folder: Path) -> None:
    with shop(folder):
        remember()
        edit("lower(customer.email)", "upper(customer.email)")
        edit("  customer.age: int(customer.age)\n", "  paid: paid\n")
        edit("\n  - {field: customer.email, type: email, required: true}", " []")
        told = called("preview", "shop.yaml", "--limit", "1")["changes"]
        shown = call("preview", "shop.yaml", "--limit", "1").stdout
    assert told["targets"] == [
        {
            "name": "customer.email",
            "before": "lower(customer.email)",
            "after": "upper(customer.email)",
        },
        {"name": "customer.age", "before": "int(customer.age)", "after": None},
        {"name": "paid", "before": None, "after": "paid"},
    ]
    assert [(rule["name"], rule["after"]) for rule in told["rules"]] == [("customer.email", None)]
    values = {each["name"]: (each["before"], each["after"]) for each in told["values"]}
    assert values == {
        "customer.email": ("ada@example.com", "ADA@EXAMPLE.COM"),
        "customer.age": (36, None),
        "paid": (None, True),
    }
    assert all(each["record"] == 1 for each in told["values"])
    assert told["since"] in shown
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "map customer.email lower(customer.email) upper(customer.email)" in lines
    assert "record 1: customer.email ada@example.com ADA@EXAMPLE.COM" in lines


def test_rules_that_are_new_are_shown_and_an_old_function_that_is_gone_hides_no_change(
    folder: Path,
) -> None:
    with shop(folder):
        integration = read_integration(FILE).integration
        remember_mapping(integration.model_copy(update={"map": {"order_id": "gone(id)"}}))
        edit("validate:\n", "validate:\n  - {field: order_id, min: 1}\n")
        changes = called("preview", "shop.yaml")["changes"]
        shown = call("preview", "shop.yaml").stdout
    assert changes["targets"][0] == {"name": "order_id", "before": "gone(id)", "after": "id"}
    assert changes["values"] == []
    assert [(rule["name"], rule["before"]) for rule in changes["rules"]] == [("order_id", None)]
    assert "rule for order_id" in shown


def test_what_failed_before_or_fails_now_is_told_as_a_reason(folder: Path) -> None:
    with shop(folder):
        remember()
        edit("int(customer.age)", "customer.age")
        values = called("preview", "shop.yaml")["changes"]["values"]
    [mended] = [each for each in values if each["record"] == 3]
    assert "int()" in mended["before"]
    assert mended["after"] == "old"


def test_a_run_remembers_its_mapping_for_its_owner_alone(folder: Path, home: Path) -> None:
    with shop(folder):
        integration = read_integration(FILE).integration
        remember()
        edit("int(customer.age)", "customer.age")
        found = last_mapping(integration)
    assert isinstance(found, LastMapping)
    assert found.map == integration.map
    [kept] = (home / "mappings").iterdir()
    assert kept.name == "shop.orders.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("{", "utf-8")
    assert last_mapping(integration) is None


def test_a_home_that_cannot_be_written_fails_no_run(folder: Path, home: Path) -> None:
    with shop(folder):
        home.mkdir(parents=True, exist_ok=True)
        (home / "mappings").write_text("in the way", "utf-8")
        remember()
        assert last_mapping(read_integration(FILE).integration) is None


def test_a_save_is_told_once_when_the_file_has_come_to_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    steps = iter([None, "first", "first", None, "", "second!", "second!"])
    texts = list[str | None]()

    def sleep(_: float) -> None:
        texts.append(next(steps))
        if texts[-1] is None:
            path.unlink(missing_ok=True)
        elif texts[-2:-1] != texts[-1:]:
            path.write_text(texts[-1], "utf-8")

    told = saves(path, sleep)
    next(told)
    assert path.read_text("utf-8") == "first"
    next(told)
    assert path.read_text("utf-8") == "second!"


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = begin("preview", "shop.yaml", "--watch", *words, folder=folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


@pytest.mark.timeout(120)
def test_watch_shows_each_save_without_asking_again_and_ends_with_130(folder: Path) -> None:
    with shop(folder) as api, watching(folder, "--json") as process:
        assert line(process)["records"][0]["mapped"]["customer.age"] == 36
        edit("int(customer.age)", "customer.age")
        assert line(process)["records"][0]["mapped"]["customer.age"] == "36"
        edit(": customer.age\n", ": lowr(customer.age)\n")
        wrong = line(process)["error"]
        assert wrong["kind"] == "configuration"
        assert "shop.yaml:9:" in wrong["message"]
        assert "\n    lowr(customer.age)\n    ^" in wrong["message"]
        edit("lowr(", "lower(")
        assert line(process)["records"][0]["mapped"]["customer.age"] == "36"
        assert asked(api) == 1
        edit("path: /orders", "path: /orders, params: {a: 1}")
        assert line(process)["rejected"] == 1
        assert asked(api) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def asked(api: Server) -> int:
    return len(api.requests)


def test_a_wrong_expression_is_shown_with_a_caret_below_it_on_standard_error(folder: Path) -> None:
    with shop(folder) as api:
        edit("int(customer.age)", '"1 + {{ lowr(customer.age) }}"')
        edit("records: $.orders", "records: $.orders\n  filter: paid = true")
        for command in ("check", "preview", "run"):
            result = call(command, "shop.yaml")
            assert result.exit_code == 2
            assert "    paid = true\n         ^\n" in result.stderr
            assert "    1 + {{ lowr(customer.age) }}\n           ^\n" in result.stderr
        assert api.requests == []
    located = call("check", "shop.yaml").stdout.splitlines()
    assert len(located) == 2
    assert all(each.startswith("shop.yaml:") for each in located)


def test_a_long_expression_is_shown_around_the_mistake(folder: Path) -> None:
    with shop(folder):
        edit("int(customer.age)", f"concat('{'x' * 300}', lowr(a))")
        result = call("check", "shop.yaml")
    shown, caret = next(
        pair
        for pair in zip(result.stderr.splitlines(), result.stderr.splitlines()[1:], strict=False)
        if pair[1].strip() == "^"
    )
    assert len(shown) <= 104
    assert shown[caret.index("^") :] == "lowr(a))"
