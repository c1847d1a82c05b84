"""The helper with which users test their own integrations."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.flows.api import cursor_api, record
from tests.support.connectors import Write

from astrio.blocks.errors import ConfigurationError, ConnectorError
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.testing import assert_function_examples, check_integration

FILE = """\
name: users
source:
  api: {base_url: "https://example.com", auth: {type: bearer, token: "${env:NO_SUCH_TOKEN}"}}
  filter: id != 3
map: {user.id: id, email: lower(email), at: now()}
validate: [{field: email, type: email, required: true}]
push: {to: {url: "sqlite:///users.db"}, table: users, mode: upsert, key: [user.id]}
"""
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def users(folder: Path, text: str = FILE) -> Path:
    file = folder / "users.yaml"
    file.write_text(text)
    return file


def test_records_are_filtered_mapped_and_judged(write: Write, tmp_path: Path) -> None:
    good = {"id": 1, "email": "ADA@EXAMPLE.COM"}
    bad = [{"id": 2, "email": 7}, {"id": 4, "email": "no"}, {"id": None, "email": "a@b.com"}]
    outcome = check_integration(users(tmp_path), [good, *bad, {"id": 3}], now=NOW)
    assert outcome.rows == [
        {"user.id": 1, "email": "ada@example.com", "at": "2026-01-02T03:04:05Z"}
    ]
    assert (outcome.fetched, outcome.filtered) == (5, 1)
    assert [each.record for each in outcome.rejected] == bad
    told = [(each.problems[0].field, each.problems[0].rule) for each in outcome.rejected]
    assert told == [("email", "map"), ("email", "email"), ("user.id", "key")]
    assert outcome.rejected[1].reason == "is not a valid e-mail address"
    assert not (tmp_path / "users.db").exists()


def test_a_record_that_breaks_the_filter_is_rejected(write: Write, tmp_path: Path) -> None:
    file = users(tmp_path, FILE.replace("id != 3", "id > 3"))
    outcome = check_integration(file, [{"id": "a"}])
    assert outcome.rejected[0].problems[0].rule == "filter"


def test_a_function_in_the_place_of_the_map(write: Write, tmp_path: Path) -> None:
    write("crm.py", "def row(record):\n    return record if record['id'] else None\n")
    map_line = FILE.splitlines()[4]
    text = FILE.replace(map_line, 'transform: "crm:row"').replace("[user.id]", "[id]")
    outcome = check_integration(users(tmp_path, text), [{"id": 0}, {"id": 1, "email": "a@b.com"}])
    assert (outcome.rows, outcome.filtered) == ([{"id": 1, "email": "a@b.com"}], 1)


SOURCE = """\
name: users
source: {{python: "crm:items", {more} incremental: {{cursor: at}}}}
push: {{to: {{url: "sqlite:///users.db"}}, table: users}}
"""


async def test_a_source_is_read_also_where_an_event_loop_runs(write: Write, tmp_path: Path) -> None:
    write("crm.py", "def items(context):\n    context.note(f'from {context.start}')\n"
          "    yield {'at': 1}\n    yield {'at': 5}\n")  # fmt: skip
    outcome = check_integration(users(tmp_path, SOURCE.format(more="")), watermark=4)
    assert (outcome.rows, outcome.filtered, outcome.fetched) == ([{"at": 5}], 1, 2)
    assert outcome.notes == ["from 4"]


def test_a_source_has_its_api(write: Write, tmp_path: Path) -> None:
    write("crm.py", "async def items(context):\n"
          "    yield (await context.api.get('/items')).body['items']\n")  # fmt: skip
    with cursor_api([record(1), record(2)]) as api:
        more = f'api: {{base_url: "{api.url}"}},'
        text = SOURCE.format(more=more).replace("{cursor: at}", "{cursor: updated_at}")
        outcome = check_integration(users(tmp_path, text))
    assert len(outcome.rows) == 2


def test_a_source_that_fails_raises_as_it_would_in_a_run(write: Write, tmp_path: Path) -> None:
    write("crm.py", "def items(context):\n    raise OSError('no route')\n    yield\n")
    with pytest.raises(ConnectorError, match=r"no route \(connectors/crm.py, line 2\)"):
        check_integration(users(tmp_path, SOURCE.format(more="")))


def test_an_api_is_never_asked_and_a_wrong_file_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="users reads an API"):
        check_integration(users(tmp_path))
    with pytest.raises(IntegrationFileError):
        check_integration(users(tmp_path, FILE.replace("lower", "lowr")), [])


FUNCTIONS = '''
from astrio.tasks.connectors import mapping_function

@mapping_function
def twice(number: int) -> int:
    """Twice the number.

    >>> twice(2)
    4
    >>> twice('a')
    rejected
    """
    return number * 2
'''


def test_true_examples_pass(write: Write) -> None:
    write("numbers_of_mine.py", FUNCTIONS)
    assert_function_examples("numbers_of_mine")
    assert_function_examples(sys.modules["numbers_of_mine"])


def test_examples_that_are_not_true_are_listed(write: Write) -> None:
    text = FUNCTIONS.replace("    4\n", "    4.0\n").replace("twice('a')", "twice(3)")
    for name, doc in (("bare", "Bare."), ("more", "More.\n\n    >>> more('b')\n    1\n    ")):
        text += f'\n@mapping_function\ndef {name}(a: int):\n    """{doc}"""\n'
    write("numbers_of_mine.py", text)
    with pytest.raises(AssertionError) as caught:
        assert_function_examples("numbers_of_mine")
    assert str(caught.value).splitlines() == [
        "twice(2) gives 4, not 4.0.",
        "twice(3) gives 6, not rejected.",
        "bare() has no example.",
        "more('b') gives rejected: more() needs a whole number, not text. (column 6), not 1.",
    ]


def test_a_module_without_functions_is_told(write: Write) -> None:
    write("empty_module.py", "")
    with pytest.raises(AssertionError, match="adds no function"):
        assert_function_examples("empty_module")


def test_the_helper_imports_neither_prefect_nor_sqlalchemy() -> None:
    script = (
        "import sys, astrio.flows.testing; "
        "assert not {'prefect', 'sqlalchemy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
