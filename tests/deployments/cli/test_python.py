"""The command line with the user's own Python: what it does is contained, what is wrong is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.deployments.cli.cli import ORDERS, call, called
from tests.flows.api import cursor_api, record
from tests.support.command import astrio
from tests.support.connectors import Write
from tests.support.server import serve

SHOP = """\
name: shop
source: {{api: {{base_url: "{url}"}}, request: {{path: /orders}}, records: $.orders}}
transform: orders:row
push: {{to: {{url: "sqlite:///shop.db"}}, table: orders, mode: upsert, key: [id]}}
"""


@pytest.fixture
def place(write: Write, tmp_path: Path, home: Path) -> Path:
    """A folder with an integration, current while the test runs."""
    write("helpers.py", "")
    (tmp_path / "shop.yaml").write_text(SHOP.format(url="https://shop.example.com"))
    return tmp_path


def test_check_tells_a_wrong_reference_with_its_place(place: Path, write: Write) -> None:
    write("orders.py", "def rows(record): ...\n")
    result = call("check")
    assert result.exit_code == 2
    assert result.stdout == (
        "shop.yaml:3:12: connectors/orders.py has no `row`; did you mean `rows`?\n"
    )


def test_check_tells_an_import_that_fails_without_a_traceback(place: Path, write: Write) -> None:
    write("orders.py", "import os\nos.environ['NO_SUCH_VARIABLE']\n")
    result = call("check")
    assert result.exit_code == 2
    assert result.stdout == (
        "shop.yaml:3:12: Importing `orders` fails with KeyError: 'NO_SUCH_VARIABLE' "
        "(connectors/orders.py, line 2)\n"
    )
    assert "Traceback" not in result.stderr


def test_what_a_module_prints_never_reaches_standard_output(place: Path, write: Write) -> None:
    write("orders.py", "print('hello')\ndef row(record): ...\n")
    [file] = called("check")["files"]
    assert file["ok"]
    [warning] = file["mistakes"]
    assert warning["warning"]
    assert warning["message"].startswith("`orders` prints while it is imported")


def test_check_of_a_file_with_a_function_is_ok(place: Path, write: Write) -> None:
    write("orders.py", "def row(record): ...\n")
    result = call("check")
    assert result.exit_code == 0
    assert result.stderr == "shop.yaml: ok (orders:row, upsert into orders)\n"


def test_preview_shows_rows_rejects_and_what_is_filtered(place: Path, write: Write) -> None:
    write(
        "orders.py",
        "def row(record):\n"
        "    if not record['paid']:\n        return None if record['id'] == 2 else 1\n"
        "    return {'id': record['id'], 'age': int(record['customer']['age'])}\n",
    )
    with serve({"/orders": lambda _: {"orders": ORDERS}}) as server:
        (place / "shop.yaml").write_text(SHOP.format(url=server.url))
        shown = called("preview", "shop.yaml")
        table = call("preview", "shop.yaml").stdout
    assert shown["filtered"] == 1
    assert [each["mapped"] for each in shown["records"]] == [{"id": 1, "age": 36}, {}]
    [problem] = shown["records"][1]["problems"]
    assert problem["rule"] == "transform"
    assert "2 records: 1 accepted, 1 rejected." in table


def test_run_imports_the_module_in_the_process_that_runs(
    place: Path, write: Write, prefect_api: str
) -> None:
    write("orders.py", "def row(record):\n    return {'id': record['id'], 'n': 1 / record['id']}\n")
    with cursor_api([record(number) for number in range(3)]) as api:
        text = SHOP.format(url=api.url).replace("/orders", "/items").replace("$.orders", "$.items")
        (place / "shop.yaml").write_text(text)
        ended = astrio("run", "shop", "--json", folder=place, environment={
            "PREFECT_API_URL": prefect_api, "ASTRIO_CONNECTORS": "connectors"
        })  # fmt: skip
    assert ended.code == 0, ended.err
    assert ended.json()["records"]["written"] == 2
    assert ended.json()["records"]["rejected"] == 1
    listed = astrio("quarantine", "list", "--json", folder=place)
    [row] = json.loads(listed.out)
    assert row["reason"] == "it fails with ZeroDivisionError (connectors/orders.py, line 2)"


VAT = '''
from astrio.tasks.connectors import mapping_function

@mapping_function
def vat_id(text: str) -> str:
    """The VAT number with its country.

    >>> vat_id('12')
    'DE12'
    """
    return "DE" + text
'''


def test_functions_lists_the_projects_own_with_their_place(place: Path, write: Write) -> None:
    write("vat.py", VAT)
    listed = {each["name"]: each for each in called("functions")["functions"]}
    assert listed["vat_id"] == {
        "name": "vat_id",
        "usage": "vat_id(text)",
        "summary": "The VAT number with its country.",
        "details": "",
        "origin": "connectors/vat.py, line 4",
        "examples": [{"expression": "vat_id('12')", "value": "DE12"}],
    }
    assert listed["upper"]["origin"] is None
    assert "From connectors/vat.py, line 4." in call("functions", "vat_id").stdout


def test_functions_tells_what_could_not_be_added(place: Path, write: Write) -> None:
    write("vat.py", VAT.replace("def vat_id", "def upper"))
    result = call("functions")
    assert result.exit_code == 0
    assert "warning: Importing `vat` fails with ValueError: upper() is a function" in result.stderr


SOURCE = """\
name: crm
source: {python: "crm:items", incremental: {cursor: at}}
push: {to: {url: "sqlite:///crm.db"}, table: items, mode: upsert, key: [id]}
"""
ENDLESS = """
from astrio.tasks.connectors import SourceContext

async def items(context: SourceContext):
    number = 0
    while True:
        yield {"id": number, "at": number, "tags": ["a"]}
        number += 1
"""


def test_preview_and_test_take_only_the_records_they_need(place: Path, write: Write) -> None:
    write("crm.py", ENDLESS)
    (place / "crm.yaml").write_text(SOURCE)
    assert call("check", "crm").exit_code == 0
    shown = called("preview", "crm", "--limit", "3")
    assert [each["mapped"]["id"] for each in shown["records"]] == [0, 1, 2]
    told = call("test", "crm").stdout
    assert told.startswith("python crm:items\n  1 record on the first page; more follow")
    assert called("test", "crm")["request"] == "python crm:items"


PRINTING = """
import threading
from astrio.tasks.connectors import SourceContext, mapping_function

@mapping_function
def loud(value: object) -> object:
    \"\"\"The value.

    >>> loud(1)
    1
    \"\"\"
    print("from a mapping")
    return value

def row(record):
    print("from a transform")
    return {"id": record["id"]}

def plain(context: SourceContext):
    print("from a plain source")
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()
    yield {"id": 1}

async def waiting(context: SourceContext):
    print("from an async source")
    yield {"id": 1}
"""


def printing(source: str, rest: str) -> str:
    push = 'push: {to: {url: "sqlite:///crm.db"}, table: items, mode: upsert, key: [id]}'
    return f'name: crm\nsource: {{python: "loud:{source}"}}\n{rest}\n{push}\n'


@pytest.mark.parametrize(
    ("source", "rest", "printed"),
    [
        ("plain", "transform: loud:row", ["from a plain source", "from a thread"]),
        ("waiting", "map: {id: loud(id)}", ["from an async source"]),
    ],
)
@pytest.mark.parametrize("command", ["preview", "test"])
def test_what_a_function_prints_goes_to_standard_error(
    place: Path, write: Write, command: str, source: str, rest: str, printed: list[str]
) -> None:
    write("loud.py", PRINTING)
    (place / "crm.yaml").write_text(printing(source, rest))
    result = call(command, "crm", "--json")
    assert result.exit_code == 0, result.stderr
    assert isinstance(json.loads(result.stdout), dict)
    for line in printed:
        assert line in result.stderr


@pytest.mark.parametrize(
    ("source", "rest"), [("plain", "transform: loud:row"), ("waiting", "map: {id: loud(id)}")]
)
def test_a_run_prints_nothing_but_its_json_on_standard_output(
    place: Path, write: Write, prefect_api: str, source: str, rest: str
) -> None:
    write("loud.py", PRINTING)
    (place / "crm.yaml").write_text(printing(source, rest))
    ended = astrio("run", "crm", "--json", folder=place, environment={
        "PREFECT_API_URL": prefect_api, "ASTRIO_CONNECTORS": "connectors"
    })  # fmt: skip
    assert ended.json()["records"]["written"] == 1
    assert "from a" in ended.err


def test_a_source_that_fails_in_a_preview_is_told_without_a_traceback(
    place: Path, write: Write
) -> None:
    write("crm.py", ENDLESS.replace("number += 1", "raise OSError('no route')"))
    (place / "crm.yaml").write_text(SOURCE)
    result = call("preview", "crm")
    assert result.exit_code == 1
    assert "The source raised OSError: no route (connectors/crm.py, line 8)." in result.stderr
    assert "Traceback" not in result.stderr
