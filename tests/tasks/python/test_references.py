"""References to the user's Python: what they find, and what is told where they find nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.support.connectors import Write

from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.references import plain_function, push_function, resolve


def told(reference: str) -> str:
    with pytest.raises(PythonError) as caught:
        resolve(reference)
    return caught.value.message


def test_a_function_of_the_folder_is_found(write: Write) -> None:
    write("crm.py", "\ndef transform(record):\n    return record\n")
    target = resolve("crm:transform")
    assert target.value({"id": 1}) == {"id": 1}
    assert target.place == "connectors/crm.py, line 2"
    assert not target.prints


def test_an_installed_module_is_found(write: Write) -> None:
    assert resolve("json:dumps").value([1]) == "[1]"


def test_modules_of_the_folder_import_one_another_and_packages_have_parts(write: Write) -> None:
    write("crm/__init__.py", "")
    write("crm/users.py", "from helpers import twice\nclass Users:\n    call = twice\n")
    write("helpers.py", "def twice(value):\n    return value * 2\n")
    assert resolve("crm.users:Users.call").value(2) == 4


def test_a_variable_names_another_folder(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "crm.py").write_text("name = 'elsewhere'\n")
    write("crm.py", "name = 'connectors'\n")
    assert resolve("crm:name").value == "connectors"
    monkeypatch.setenv("ASTRIO_CONNECTORS", str(elsewhere))
    assert resolve("crm:name").value == "elsewhere"


def test_a_missing_module_is_told_with_the_one_that_was_meant(write: Write) -> None:
    write("contacts.py", "")
    assert told("contact:transform").endswith("did you mean `contacts`?")
    assert told("nothing.like_it:transform").startswith("There is no module `nothing` in ")


def test_a_missing_name_is_told_with_the_one_that_was_meant(write: Write) -> None:
    write("crm.py", "class Users:\n    def transform(self): ...\n")
    assert told("crm:User") == "connectors/crm.py has no `User`; did you mean `Users`?"
    assert told("crm:Users.transfrm") == (
        "`Users` in connectors/crm.py has no `transfrm`; did you mean `transform`?"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\nimport no_such_package\n", "needs the module `no_such_package`, which is not "
         "installed (connectors/broken.py, line 2)."),
        ("x = 1\ny = x / 0\n", "fails with ZeroDivisionError: division by zero "
         "(connectors/broken.py, line 2)."),
        ("def f(:\n", "cannot be read: invalid syntax (connectors/broken.py, line 1)."),
        ("import sys\nsys.exit(3)\n", "fails with SystemExit: 3 (connectors/broken.py, line 2)."),
        ("raise KeyError\n", "fails with KeyError (connectors/broken.py, line 1)."),
        ("from helpers import nothing\n", "line 1)."),
    ],
)  # fmt: skip
def test_what_breaks_an_import_is_told_with_its_place(write: Write, text: str, words: str) -> None:
    write("helpers.py", "")
    write("broken.py", text)
    assert words in told("broken:f")


def test_a_module_that_an_installed_one_hides_is_refused(write: Write) -> None:
    write("json.py", "def dumps(record): ...\n")
    write("__main__.py", "def dumps(record): ...\n")
    assert told("json:dumps") == (
        "connectors/json.py is hidden by another module of the name `json`."
    )
    assert "is hidden" in told("__main__:dumps")


def test_a_changed_module_is_imported_anew_with_all_that_use_it(write: Write) -> None:
    helpers = write("helpers.py", "factor = 2\n")
    write("crm.py", "from helpers import factor\n")
    first = resolve("crm:factor")
    assert first.value == 2
    assert resolve("crm:factor").value is first.value
    write("helpers.py", "factor = 3\n")
    os.utime(helpers, ns=(1, 1))
    assert resolve("crm:factor").value == 3
    helpers.unlink()
    assert "needs the module `helpers`" in told("crm:factor")


def test_what_a_module_prints_is_kept_from_standard_output(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("loud.py", "print('hello')\ndef transform(record): ...\n")
    assert resolve("loud:transform").prints
    assert resolve("loud:transform").prints
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\n")


def test_nothing_is_written_into_the_folder(write: Write) -> None:
    file = write("crm.py", "name = 1\n")
    resolve("crm:name")
    assert [each.name for each in file.parent.iterdir()] == ["crm.py"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("f = 1", "is no function"),
        ("async def f(record): ...", "is async; `transform` takes a plain function"),
        ("async def f(record):\n    yield 1", "is an async generator"),
        ("def f(record):\n    yield 1", "is a generator"),
        ("def f(): ...", "must take one record: def f(record) (connectors/crm.py, line 1)."),
        ("def f(record, *, colour): ...", "must take one record"),
    ],
)
def test_what_cannot_be_called_with_a_record_is_refused(
    write: Write, text: str, words: str
) -> None:
    write("crm.py", text)
    with pytest.raises(PythonError, match=r".") as caught:
        plain_function(resolve("crm:f"), "transform")
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["def f(record, more=1): ...", "def f(record, *, context): ...",
                                  "f = dict"])  # fmt: skip
def test_what_can_be_called_with_a_record_is_taken(write: Write, text: str) -> None:
    write("crm.py", text)
    assert callable(plain_function(resolve("crm:f"), "transform"))


def test_a_folder_that_came_back_to_the_path_is_left_out(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("crm.py", "name = 'connectors'\n")
    resolve("crm:name")
    before = list(sys.path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/crm.py").write_text("name = 'elsewhere'\n")
    monkeypatch.setenv("ASTRIO_CONNECTORS", str(tmp_path / "elsewhere"))
    sys.path[:] = before
    assert resolve("crm:name").value == "elsewhere"


def test_ctrl_c_during_an_import_ends_it(write: Write) -> None:
    write("crm.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        resolve("crm:name")
    write("crm.py", "from astrio.blocks.errors import ConfigurationError\n"
          "raise ConfigurationError('No account.')\n")  # fmt: skip
    assert told("crm:name") == "`crm` cannot be imported: No account. (connectors/crm.py, line 2)"


def test_a_folder_that_is_made_later_is_found(write: Write) -> None:
    assert "There is no module `crm`" in told("crm:name")
    write("crm.py", "name = 1\n")
    assert resolve("crm:name").value == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("push = 3\n", "is no function"),
        ("def push():\n    pass\n", "must take records and a context: def push(records, context)"),
        ("def push(records, context):\n    yield\n", "yields, but is to return"),
        ("async def push(records, context):\n    yield\n", "yields, but is to return"),
    ],
)
def test_what_cannot_take_records_is_told(write: Write, text: str, words: str) -> None:
    write("crm.py", text)
    with pytest.raises(PythonError) as caught:
        push_function(resolve("crm:push"))
    assert words in caught.value.message


@pytest.mark.parametrize("parameters", ["records", "records, context", "records, *, context"])
def test_a_function_that_pushes_may_do_without_the_context(write: Write, parameters: str) -> None:
    write("crm.py", f"def push({parameters}):\n    return records\n")
    assert push_function(resolve("crm:push"))([1], None) == [1]
