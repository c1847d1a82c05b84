"""length, in, exists_in: rules that compare a value with what the file says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.rules.judging import accepts, compiled, judged

from astrio.blocks.errors import ConfigurationError


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"length": 2}, ["ab", [1, 2]], ["a", "abc", [], [1]]),
        ({"length": "2"}, ["ab"], ["abc"]),
        ({"length": "2..3"}, ["ab", "abc"], ["a", "abcd"]),
        ({"length": "2 .. 3"}, ["ab"], ["a"]),
        ({"length": "2.."}, ["ab", "a" * 1000], ["a", ""]),
        ({"validator": "length:..3"}, ["", "abc"], ["abcd"]),
        ({"length": 0}, ["", []], ["a"]),
        ({"length": 1}, ["é"], [1, True, {"a": 1}]),
    ],
)
def test_the_length_is_that_of_a_text_or_list(
    rule: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    assert [value for value in good if not accepts(rule, value)] == []
    assert [value for value in bad if accepts(rule, value)] == []


def test_the_reason_tells_both_lengths() -> None:
    assert judged({"length": "2..3"}, "a") == ["has 1 character; it needs 2 at least"]
    assert judged({"length": "2..3"}, [1] * 4) == ["has 4 elements; 3 are allowed"]


@pytest.mark.parametrize("length", ["..", "a", "3..2", "-1", -1, "1...2", "", "1,2"])
def test_a_length_is_a_number_or_a_range(length: Any) -> None:
    with pytest.raises(ConfigurationError, match="length"):
        compiled({"field": "x", "length": length})


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"in": ["a", "b"]}, ["a", "b", None], ["c", "A", "", 1, ["a"], {"a": 1}]),
        ({"in": [1, 2.5]}, [1, 1.0, 2.5, Decimal("2.5")], [True, "1", 3, float("nan")]),
        ({"in": [True]}, [True], [False, 1, "true"]),
        ({"in": ["2024-02-29"]}, [date(2024, 2, 29)], [date(2024, 3, 1)]),
        ({"in": ["a", None]}, ["a"], ["b"]),
        ({"validator": "in:a, b"}, ["a", "b"], ["c", "a, b"]),
        ({"validator": "in:1,2.5,x"}, [1, "1", 2.5, "x"], [2, "y"]),
    ],
)
def test_in_lists_what_is_allowed(rule: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not accepts(rule, value)] == []
    assert {reason for value in bad for reason in judged(rule, value)} == {
        "is none of the values allowed"
    }


@pytest.mark.parametrize("rule", [{"in": [["a"]]}, {"in": [{}]}, {"in": []}, {"validator": "in:"}])
def test_in_needs_plain_values(rule: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="in "):
        compiled({"field": "x", **rule})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customers.csv").write_text("id,name\n007,Ada\n12,Eve\n3\n", "utf-8")
    (tmp_path / "ids.csv").write_text("\ufeffa\nb\n\n", "utf-8")
    (tmp_path / "list.json").write_text('["a", 7, true]', "utf-8")
    (tmp_path / "object.json").write_text('{"a": 1}', "utf-8")
    (tmp_path / "rows.JSON").write_text('[{"id": 7}, {"id": "b"}, {"other": 1}]', "utf-8")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    (tmp_path / "number.json").write_text("1", "utf-8")
    (tmp_path / "empty.csv").write_text("", "utf-8")
    (tmp_path / "latin.csv").write_bytes(b"\xe9")
    (tmp_path / "bad.csv").write_text('"never closed', "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("known", "good", "bad"),
    [
        ({"file": "customers.csv", "column": "id"}, ["007", "12", 12, "3"], ["7", 7, "Ada", "id"]),
        ({"file": "customers.csv", "column": "name"}, ["Ada"], ["ada", "name"]),
        ("ids.csv", ["a", "b"], ["c", 1, True, 1.0]),
        ("list.json", ["a", 7, 7.0, True], ["7", 1, False]),
        ("object.json", ["a"], [1, "b"]),
        ({"file": "rows.JSON", "column": "id"}, [7, "b"], ["7", "id", 1]),
        (["a", 1], ["a", 1], ["b", True]),
    ],
)
def test_a_value_exists_in_a_list_or_file(
    folder: Path, known: Any, good: list[Any], bad: list[Any]
) -> None:
    rule = {"exists_in": known}
    assert [value for value in good if not accepts(rule, value)] == []
    assert {reason for value in bad for reason in judged(rule, value)} == {
        "is not among the known values"
    }


def test_the_short_form_names_the_file(folder: Path) -> None:
    assert accepts({"validator": "exists_in:list.json"}, "a")
    assert not accepts({"validator": "exists_in: list.json"}, "b")


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("nowhere.csv", "There is no file nowhere.csv"),
        ("../customers.csv", "must lie in the project's folder"),
        ("a\0b", "There is no file"),
        ("customers.csv", "has several columns"),
        ({"file": "customers.csv", "column": "nam"}, "has no column nam. Did you mean name?"),
        ({"file": "empty.csv", "column": "id"}, "has no column id."),
        ({"file": "rows.JSON", "column": "zzz"}, "has no column zzz."),
        ({"file": "list.json", "column": "id"}, "must be a list of objects"),
        ("broken.json", "is no JSON"),
        ("number.json", "must be a list or an object"),
        ("latin.csv", "is no UTF-8 text"),
        ("bad.csv", "is no CSV"),
        ([["a"]], "exists_in lists texts"),
    ],
)
def test_a_file_that_lists_nothing_is_refused(folder: Path, known: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        compiled({"field": "x", "exists_in": known})
    assert message in raised.value.message
