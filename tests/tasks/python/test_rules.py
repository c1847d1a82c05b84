"""A pydantic model, or a function, in the place of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flows.running import query, run
from tests.support.connectors import Write

from astrio.flows.integration import Integration
from astrio.flows.reading.read import check_file
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.rules import model_or_function

MODULE = """
from datetime import date
from pydantic import BaseModel, Field

def items(context):
    yield {"id": 1, "name": "Ada", "born": "1815-12-10", "tags": ["a"]}
    yield {"id": 2, "name": "", "born": "1990-01-01", "tags": ["a"]}
    yield {"id": 3, "name": "Cy", "born": "soon", "tags": []}

class Person(BaseModel):
    id: int
    name: str = Field(min_length=1)
    born: date
    tags: list[str]

def judge(row):
    row["tags"].clear()
    if not row["name"]:
        return {"name": "is missing"}
    if row["born"] == "soon":
        raise ValueError("nobody is born soon")

class Odd:
    pass
"""
FILE = """\
name: people
source: {python: "people:items"}
validate: VALIDATE
push: {to: {url: "sqlite:///people.db"}, table: people, mode: upsert, key: [id]}
"""


def plan(validate: str, **changes: Any) -> Integration:
    push = {"to": {"url": "sqlite:///people.db"}, "table": "people", "mode": "upsert",
            "key": ["id"]}  # fmt: skip
    source = {"python": "people:items"}
    whole = {"name": "people", "source": source, "validate": validate, "push": push, **changes}
    return Integration.model_validate(whole)


def rejected() -> list[tuple[Any, ...]]:
    return query(Path("people.db"), "SELECT key, field, rule FROM _astrio_quarantine ORDER BY id")


def test_a_model_judges_the_rows_and_converts_their_fields(write: Write) -> None:
    write("people.py", MODULE)
    report = run(plan("people:Person"))
    assert (report.records.written, report.records.rejected) == (1, 2)
    assert rejected() == [("2", "name", "string_too_short"),
                          ("3", "born", "date_from_datetime_parsing")]  # fmt: skip
    assert query(Path("people.db"), "SELECT born FROM people") == [("1815-12-10",)]


def test_a_function_judges_copies_of_the_rows(write: Write) -> None:
    write("people.py", MODULE)
    report = run(plan("people:judge"))
    assert (report.records.written, report.records.rejected) == (1, 2)
    assert rejected() == [("2", "name", "judge"), ("3", None, "judge")]
    assert query(Path("people.db"), "SELECT tags FROM people") == [('["a"]',)]


def test_a_model_sees_mapped_targets_nested(write: Write) -> None:
    write("people.py", MODULE + "class Nested(BaseModel):\n    id: int\n    person: Person\n")
    fields = {f"person.{name}": name for name in ("id", "name", "born", "tags")}
    report = run(plan("people:Nested", map={"id": "id", **fields}))
    assert (report.records.written, report.records.rejected) == (1, 2)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Odd", "`people:Odd` is a class, but no pydantic model (connectors/people.py, line 23)."),
        ("items", "`people:items` is a generator; `validate` takes a plain function "
         "(connectors/people.py, line 5)."),
    ],
)  # fmt: skip
def test_what_cannot_judge_is_refused(write: Write, name: str, told: str) -> None:
    write("people.py", MODULE)
    with pytest.raises(PythonError) as caught:
        model_or_function(f"people:{name}")
    assert caught.value.message == told


def test_check_tells_a_wrong_model_with_its_place(write: Write, tmp_path: Path) -> None:
    write("people.py", MODULE)
    file = tmp_path / "people.yaml"
    file.write_text(FILE.replace("VALIDATE", "people:Person"))
    assert not check_file(file)
    file.write_text(FILE.replace("VALIDATE", "people:Persons"))
    [mistake] = check_file(file)
    assert str(mistake) == "3:11: connectors/people.py has no `Persons`; did you mean `Person`?"
    file.write_text(FILE.replace("VALIDATE", "Person"))
    [mistake] = check_file(file)
    assert "must be the name of a module and of what is in it" in mistake.message
