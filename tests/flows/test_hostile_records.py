"""Records that try a program: each passes exactly or is quarantined, and spoils no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.api import integration
from tests.flows.running import failed_run, query, run
from tests.support.server import serve

from astrio.flows.integration import Integration
from astrio.tasks.destinations.opening import quarantine_records, quarantine_rows

DEEP = b"[" * 100_000 + b"]" * 100_000
LONG = "x" * 10_000_000
PASSING = {
    b'"plain"': "plain",
    b'"' + LONG.encode() + b'"': LONG,
    b'"\\u2028\\ud83d\\ude00"': "\u2028\U0001f600",
    b"123456789012345678901234567890": "123456789012345678901234567890",
    b"9007199254740993": "9007199254740993",
    b'"00123"': "00123",
    b'{"a b": 1, "": 2, "$": 3, "\\u00e9\\"]": [{}]}': '{"a b":1,"":2,"$":3,"é\\"]":[{}]}',
}
REFUSED = {
    b"NaN": "NaN, which is no JSON number",
    b"[1, -Infinity]": "-Infinity, which is no JSON number",
    DEEP: "nested too deep",
    b'"\\ud800"': "surrogate",
    b'"\\u0000"': "NUL",
}


@pytest.fixture(params=["in part", "whole"], autouse=True)
def decoding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "whole":
        monkeypatch.setattr("astrio.flows.planning.projection_of", lambda _: None)


def page(values: list[bytes], field: bytes = b"value") -> Any:
    records = [
        b'{"id": %d, "%b": %b, "last": true}' % (number, field, value)
        for number, value in enumerate(values)
    ]
    return sent(b'{"items": [' + b",\n".join(records) + b'], "next": null}')


def sent(content: bytes) -> Any:
    return lambda _: web.Response(body=content, content_type="application/json")


def plan(url: str, database: Path, **changes: Any) -> Integration:
    mapping = {"id": "id", "value": "value", "last": "last"}
    return integration(url, database, **{"map": mapping, **changes})


@pytest.mark.parametrize("hostile", REFUSED, ids=["nan", "infinity", "deep", "surrogate", "nul"])
def test_a_record_that_cannot_pass_is_quarantined_and_spoils_no_other(
    tmp_path: Path, hostile: bytes
) -> None:
    database = tmp_path / "items.db"
    with serve({"/items": page([*PASSING, hostile, b'"after"'])}) as api:
        made = plan(api.url, database)
        report = run(made)
    assert report.records.fetched == len(PASSING) + 2
    assert report.records.rejected + report.records.failed == 1
    rows = query(database, "SELECT id, value FROM items ORDER BY id")
    assert [value for _, value in rows] == [*PASSING.values(), "after"]
    assert [number for number, _ in rows] == [*range(len(PASSING)), len(PASSING) + 1]
    [kept] = quarantine_rows(made.push, made.name)
    assert REFUSED[hostile] in kept["reason"]


def test_what_nobody_reads_may_be_of_any_length(tmp_path: Path) -> None:
    unread = [
        b"1" * 5_000,
        b"1e400",
        b'"\\ud800"',
        b'"' + LONG.encode() + b'"',
        b"[" * 500 + b"]" * 500,
    ]
    database = tmp_path / "items.db"
    with serve({"/items": page(unread, b"unread")}) as api:
        report = run(plan(api.url, database, map={"id": "id", "last": "last"}))
    assert report.records.written == len(unread)


def test_a_refused_record_is_kept_with_all_its_fields(tmp_path: Path) -> None:
    with serve({"/items": page([b'{"of": [NaN, 1e400], "n": 1.5}', b"1"])}) as api:
        made = plan(api.url, tmp_path / "items.db")
        run(made)
    [row] = quarantine_rows(made.push, made.name)
    kept = quarantine_records(made.push, made.name, [row["id"]])[0]["record"]
    assert kept["id"] == 0
    assert kept["value"]["of"][0] == "NaN"
    assert kept["value"]["n"] == 1.5


def test_whole_numbers_stay_whole_and_fractions_are_floats(tmp_path: Path) -> None:
    database = tmp_path / "items.db"
    with serve({"/items": page([b"12", b"-9223372036854775808", b"9223372036854775807"])}) as api:
        run(plan(api.url, database))
    rows = query(database, "SELECT value, typeof(value) FROM items ORDER BY id")
    assert rows == [(12, "integer"), (-(2**63), "integer"), (2**63 - 1, "integer")]
    database = tmp_path / "fractions.db"
    with serve({"/items": page([b"1.50", b"1e3", b"0.1"])}) as api:
        run(plan(api.url, database))
    rows = query(database, "SELECT value, typeof(value) FROM items ORDER BY id")
    assert rows == [(1.5, "real"), (1000.0, "real"), (0.1, "real")]


def test_a_page_that_is_cut_off_in_a_hostile_record_still_fails_the_run(tmp_path: Path) -> None:
    content = b'{"items": [{"id": 1, "value": NaN}, {"id": 2, "value": [['
    with serve({"/items": sent(content)}) as api:
        error = failed_run(plan(api.url, tmp_path / "items.db"))
    assert error.kind == "api"
    assert query(tmp_path / "items.db", "SELECT * FROM items") == []
