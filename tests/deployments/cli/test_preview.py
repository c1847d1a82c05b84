"""`astrio preview` and `astrio test`: they talk to the API and write nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.deployments.cli.cli import ORDERS, SHOP, call, called, shop
from tests.support.server import answer, paged, serve, unused_url


def test_preview_shows_source_value_and_rules_side_by_side(folder: Path) -> None:
    with shop(folder):
        shown = call("preview", "shop.yaml", "--limit", "1").stdout
    line = next(line for line in shown.splitlines() if "customer.email:" in line)
    assert line.split() == [
        "customer.email:",
        '"ADA@EXAMPLE.COM"',
        "customer.email",
        '"ada@example.com"',
        "ok",
    ]
    assert "Record 1: accepted" in shown
    assert "1 record: 1 accepted, 0 rejected. Nothing was written." in shown


def test_preview_says_why_a_record_would_be_rejected(folder: Path) -> None:
    with shop(folder):
        records = called("preview", "shop.yaml")["records"]
    assert [[each["field"] for each in record["problems"]] for record in records] == [
        [],
        ["customer.email"],
        ["customer.age"],
    ]
    assert [each["rule"] for each in records[2]["problems"]] == ["map"]


def test_preview_shows_rejected_records_in_its_tables(folder: Path) -> None:
    with shop(folder):
        shown = call("preview", "shop.yaml").stdout
    assert "Record 2: rejected" in shown
    assert "3 records: 1 accepted, 2 rejected" in shown


def test_preview_as_json_gives_source_and_mapped_values(folder: Path) -> None:
    with shop(folder):
        told = called("preview", "shop.yaml", "--limit", "1")
    assert told["integration"] == "shop"
    assert told["fetched"] == 3
    assert told["stop_reason"] == "single_page"
    assert told["records"] == [
        {
            "source": ORDERS[0],
            "mapped": {"order_id": 1, "customer.email": "ada@example.com", "customer.age": 36},
            "problems": [],
            "warnings": [],
        }
    ]


def test_preview_tells_warnings_of_accepted_records(folder: Path) -> None:
    rule = "  - {field: customer.age, max: 30, severity: warning}\n"
    with shop(folder):
        file = folder / "shop.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("validate:\n", f"validate:\n{rule}"), "utf-8")
        shown = call("preview", "shop.yaml", "--limit", "1").stdout
        [record] = called("preview", "shop.yaml", "--limit", "1")["records"]
    assert "Record 1: accepted" in shown
    assert "warning: is greater than 30" in " ".join(shown.split())
    assert record["problems"] == []
    assert record["warnings"] == [
        {
            "field": "customer.age",
            "rule": "max",
            "reason": "is greater than 30",
            "value": "a whole number of 2 digits",
        }
    ]


def test_preview_writes_nothing(folder: Path) -> None:
    with shop(folder):
        call("preview", "shop.yaml")
    assert [path.name for path in folder.iterdir()] == ["shop.yaml"]


def test_preview_without_a_map_shows_the_records_as_they_are(folder: Path) -> None:
    with shop(folder) as server:
        head, _, tail = SHOP.format(url=server.url).partition("map:\n")
        text = head + tail[tail.index("push:") :].replace("[order_id]", "[id]")
        Path("shop.yaml").write_text(text)
        assert called("preview", "shop", "--limit", "1")["records"][0]["mapped"] == ORDERS[0]
        assert "Record 1: accepted" in call("preview", "shop").stdout


def test_preview_rejects_what_has_no_key(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": [{"customer": {"email": "a@example.com"}}]}):
        [record] = called("preview", "shop.yaml")["records"]
    assert record["problems"] == [
        {"field": "order_id", "rule": "key", "reason": "the key is empty"}
    ]


def test_preview_rejects_what_is_no_object(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": [5]}):
        assert called("preview", "shop.yaml")["rejected"] == 1
        assert "Record 1: rejected" in call("preview", "shop.yaml").stdout


def test_preview_reads_on_until_the_filter_lets_a_record_through(folder: Path) -> None:
    with serve(paged([{"id": number} for number in range(20)], size=5)) as server:
        Path("few.yaml").write_text(
            f"""
name: few
source:
  api: {{base_url: "{server.url}"}}
  records: items
  filter: id >= 12
  paginate: {{type: page_number, param: page}}
map: {{id: id, constant: 5, skus: "$.lines[*].sku", first: "tags[0]", text: "no {{{{id}}}}"}}
push: {{to: {{url: "sqlite:///few.db"}}, table: few}}
"""
        )
        told = called("preview", "few", "--limit", "1")
        shown = call("preview", "few", "--limit", "1").stdout
    assert (told["pages"], told["fetched"], told["filtered"]) == (3, 15, 12)
    assert told["records"][0]["mapped"]["text"] == "no 12"
    assert "tags[0]: null" in shown


def test_preview_shows_what_is_wrong_inside_a_field(folder: Path) -> None:
    with shop(folder):
        text = Path("shop.yaml").read_text()
        text = text.replace("  customer.email: lower(customer.email)\n", "  customer: customer\n")
        text = text.replace("  customer.age: int(customer.age)\n", "")
        Path("shop.yaml").write_text(text)
        shown = call("preview", "shop.yaml").stdout
    rejected = shown[shown.index("Record 2: rejected") :]
    assert any(line.split()[:1] == ["customer.email"] for line in rejected.splitlines())


def test_preview_of_a_folder_exits_with_2(folder: Path) -> None:
    Path("shop").mkdir()
    result = call("preview", "./shop")
    assert result.exit_code == 2
    assert "is a folder" in result.stderr


def test_preview_of_an_empty_source_says_so(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": []}):
        result = call("preview", "shop.yaml")
    assert result.exit_code == 0
    assert "No records came (0 fetched, 0 filtered out)" in result.stdout


def test_preview_spells_out_terminal_escapes(folder: Path) -> None:
    order = {"id": 1, "customer": {"email": "\x1b[31m\u202e@example.com", "age": 5}}
    with shop(folder, lambda _: {"orders": [order]}):
        assert "\x1b" not in call("preview", "shop.yaml").stdout


def test_a_missing_variable_exits_with_2_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    with shop(folder) as server:
        text = Path("shop.yaml").read_text()
        auth = ', auth: {type: bearer, token: "${env:SHOP_TOKEN}"}}'
        Path("shop.yaml").write_text(text.replace('"}', f'"{auth}', 1))
        result = call("preview", "shop.yaml", "--json")
        assert server.requests == []
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["kind"] == "configuration"
    assert "SHOP_TOKEN" in error["message"]


def test_a_mistake_in_the_file_exits_with_2_before_anything_is_sent(folder: Path) -> None:
    with shop(folder) as server:
        Path("shop.yaml").write_text(Path("shop.yaml").read_text() + "colour: red\n")
        result = call("preview", "shop.yaml")
        assert server.requests == []
    assert result.exit_code == 2
    assert "shop.yaml:14:1: unknown key `colour`" in result.stderr


def test_a_warning_does_not_stop_a_preview(folder: Path) -> None:
    with shop(folder):
        Path("shop.yaml").write_text(Path("shop.yaml").read_text() + "alerts: {a: 1}\n")
        result = call("preview", "shop.yaml", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["fetched"] == 3
    assert "shop.yaml:14:1: warning: `alerts`" in result.stderr


def test_wrong_credentials_exit_with_1_and_one_clear_sentence(folder: Path) -> None:
    with shop(folder, lambda _: answer({"error": "no"}, 401)) as server:
        result = call("preview", "shop.yaml", "--json")
        assert len(server.requests) == 1
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["kind"] == "credentials"


def test_an_api_that_is_down_exits_with_1(folder: Path) -> None:
    Path("shop.yaml").write_text(SHOP.format(url=unused_url()))
    result = call("test", "shop.yaml")
    assert result.exit_code == 1
    assert "Error: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_secret_in_an_answer_is_masked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "canary-5e1f")
    order = {"id": 1, "customer": {"email": "canary-5e1f@example.com", "age": 5}}
    with shop(folder, lambda _: {"orders": [order]}):
        text = Path("shop.yaml").read_text()
        auth = ', auth: {type: bearer, token: "${env:SHOP_TOKEN}"}}'
        Path("shop.yaml").write_text(text.replace('"}', f'"{auth}', 1))
        table, told = call("preview", "shop.yaml"), call("preview", "shop.yaml", "--json")
    assert table.exit_code == told.exit_code == 0
    assert "canary" not in table.output + told.output


def test_test_tells_status_records_and_the_fields_of_the_first(folder: Path) -> None:
    with shop(folder) as server:
        told = called("test", "shop.yaml")
        assert len(server.requests) == 1
    assert told["status"] == 200
    assert told["records"] == 3
    assert told["fields"] == [
        {"name": "id", "type": "integer"},
        {"name": "customer.email", "type": "text"},
        {"name": "customer.age", "type": "text"},
        {"name": "tags", "type": "list of texts"},
        {"name": "paid", "type": "boolean"},
    ]


def test_test_shows_the_request_and_how_the_source_goes_on(folder: Path) -> None:
    with shop(folder) as server:
        shown = call("test", "shop.yaml").stdout
        assert f"GET {server.url}/orders\n" in shown
    assert "3 records on the first page; the source ends here (single_page)" in shown
    assert "customer.email" in shown


def test_test_of_an_empty_source_has_no_fields(folder: Path) -> None:
    with shop(folder, lambda _: {"orders": []}):
        result = call("test", "shop.yaml")
    assert result.exit_code == 0
    assert "0 records on the first page" in result.stdout
    assert "Field of" not in result.stdout
