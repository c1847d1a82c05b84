"""Functions that users add to the language: found, checked, called, and kept from doing harm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.connectors import Write

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.connectors import MappingContext, mapping_function
from astrio.tasks.mapping import finding
from astrio.tasks.mapping.check import check_expression
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.finding import added_functions, all_functions, find_function

CONTEXT = MappingContext(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
VAT = '''
from astrio.tasks.connectors import mapping_function

@mapping_function
def vat_id(text: str, country: str = "DE") -> str:
    """The VAT number with its country.

    Blanks are left out.

    >>> vat_id('12 34')
    'DE1234'
    >>> vat_id(12)
    rejected
    """
    digits = text.replace(" ", "")
    if not digits.isdigit():
        raise ValueError("no VAT number")
    return country + digits
'''


def value(expression: str, record: dict[str, Any] | None = None) -> Any:
    return compile_expression(expression, CONTEXT)(record or {})


def reason(expression: str, record: dict[str, Any] | None = None) -> str:
    with pytest.raises(RecordRejectedError) as caught:
        value(expression, record)
    return caught.value.message


def problem(expression: str) -> str:
    [found] = check_expression(expression)
    return str(found)


def declare(write: Write, signature: str, body: str = "return None", doc: str = "D.") -> None:
    write(
        "added.py",
        "from __future__ import annotations\n"
        "from typing import *\nfrom decimal import Decimal\nfrom datetime import date, datetime\n"
        "from astrio.tasks.connectors import mapping_function\n"
        f'@mapping_function\n{signature}:\n    """{doc}"""\n    {body}\n',
    )


def test_a_function_of_the_folder_is_called_like_any_other(write: Write) -> None:
    write("vat.py", VAT)
    assert value("vat_id('12 34')") == "DE1234"
    assert value("upper(vat_id(a, 'at')) ?? 'none'", {"a": "1 2"}) == "AT12"
    assert value("map(list, each -> vat_id(each))", {"list": ["1", "2"]}) == ["DE1", "DE2"]


def test_a_function_is_described_by_its_docstring(write: Write) -> None:
    write("vat.py", VAT)
    function = find_function("vat_id")
    assert function is not None
    assert (function.usage, function.summary) == (
        "vat_id(text, country)", "The VAT number with its country."
    )  # fmt: skip
    assert function.details == "Blanks are left out."
    assert function.examples == [("vat_id('12 34')", "DE1234")]
    assert function.rejects == ["vat_id(12)"]
    assert function.origin == "connectors/vat.py, line 4"
    assert list(all_functions()) == sorted(all_functions())


def test_the_number_and_kinds_of_arguments_are_checked_before_a_run(write: Write) -> None:
    write("vat.py", VAT)
    assert problem("vat_id()") == (
        "vat_id() takes 1 to 2 arguments, not 0. (column 1) Its form is vat_id(text, country)."
    )
    assert problem("vat_id('1', 2)") == "vat_id() needs text, not a number. (column 13)"
    assert problem("vat_id(each -> each)").startswith("Argument 1 of vat_id() is no function.")
    assert not check_expression("vat_id(null)")


def test_what_the_function_raises_rejects_the_record_with_both_places(write: Write) -> None:
    write("vat.py", VAT)
    assert reason("concat('a', vat_id(a))", {"a": "x"}) == (
        "vat_id(): no VAT number (connectors/vat.py, line 17) (column 13)"
    )
    assert reason("vat_id(a)", {"a": 7}) == "vat_id() needs text, not a number (column 1)"


@pytest.mark.parametrize(
    ("signature", "given", "taken"),
    [
        ("def f(a: str | None)", None, True),
        ("def f(a: Optional[str])", None, True),
        ("def f(a: str)", None, False),
        ("def f(a)", None, False),
        ("def f(*a: int)", None, False),
    ],
)
def test_null_gives_null_unless_the_parameter_allows_it(
    write: Write, signature: str, given: Any, taken: bool
) -> None:
    declare(write, signature, "return 'called'")
    assert value("f(a)", {"a": given}) == ("called" if taken else None)


@pytest.mark.parametrize(
    ("type_", "given", "wanted"),
    [
        ("int", True, "a whole number"),
        ("int", 1.5, "a whole number"),
        ("float", "1", "a number"),
        ("bool", 1, "true or false"),
        ("list[str]", {}, "a list"),
        ("dict[str, Any]", [], "an object"),
        ("int | str", [], "a whole number or text"),
        ("Decimal", 1, "a decimal"),
        ("date", "2026-01-01", "a date"),
    ],
)
def test_an_argument_of_another_kind_rejects_the_record(
    write: Write, type_: str, given: Any, wanted: str
) -> None:
    declare(write, f"def f(a: {type_})")
    assert reason("f(a)", {"a": given}).startswith(f"f() needs {wanted}, not ")


@pytest.mark.parametrize(
    ("type_", "given"),
    [("float", 1), ("int", 10**30), ("Any", []), ("Nothing", "x"), ("int | Iterable[int]", "x"),
     ("Decimal", Decimal(1)), ("date", date(2026, 1, 1)), ("list", [1])],
)  # fmt: skip
def test_an_argument_of_the_declared_kind_is_passed(write: Write, type_: str, given: Any) -> None:
    declare(write, f"def f(a: {type_})", "return a")
    assert value("f(a)", {"a": given}) == given


def test_a_function_cannot_change_the_record(write: Write) -> None:
    declare(write, "def f(a: list)", "a.append(1); return a")
    record = {"a": [0]}
    assert value("f(a)", record) == [0, 1]
    assert record == {"a": [0]}


def test_any_number_of_arguments_and_the_clock_of_the_run(write: Write) -> None:
    declare(write, "def f(first: int, *more: int, context)", "return [first, more, context.now]")
    assert value("f(1, 2, 3)") == [1, (2, 3), CONTEXT.now]
    assert problem("f()").startswith("f() takes at least 1 argument, not 0.")


def test_a_value_that_no_record_can_hold_rejects_it(write: Write) -> None:
    declare(write, "def f(a)", "return {a}")
    assert reason("f(1)") == "f() returned a set, which no record can hold (column 1)"


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        ("def upper(a)", "upper() is a function of the mapping language already"),
        ("def not_(a)", "'not' cannot be a function's name in an expression"),
        ("async def f(a)", "f() must be a plain function: neither async nor a generator"),
        ("def f(a, *, colour)", "f() cannot be given `colour`: expressions name no arguments"),
        ("def f(a, **more)", "f() cannot be given `more`: expressions name no arguments"),
    ],
)
def test_what_expressions_cannot_call_is_refused_where_it_is_declared(
    write: Write, signature: str, told: str
) -> None:
    declare(write, signature)
    assert added_functions().problems == [
        f"Importing `added` fails with ValueError: {told} (connectors/added.py, line 6)."
    ]


def test_a_function_needs_a_docstring_and_its_examples_values() -> None:
    def silent(text: str) -> str:
        return text

    def loud(text: str) -> str:
        """Loud.

        >>> loud('a')
        A!
        """
        return text

    with pytest.raises(ValueError, match=r"silent\(\) needs a docstring"):
        mapping_function(silent)
    with pytest.raises(ValueError, match=r"an example of loud\(\) has no Python value: A!"):
        mapping_function(loud)


def test_an_unknown_function_is_told_with_what_was_meant_or_what_fails(write: Write) -> None:
    write("vat.py", VAT)
    assert problem("vat_di('1')") == (
        "There is no function vat_di(). (column 1) did you mean vat_id?"
    )
    write("vat.py", f"import no_such_package\n{VAT}")
    assert problem("vat_id('1')") == (
        "There is no function vat_id(). (column 1) `vat` needs the module `no_such_package`, "
        "which is not installed (connectors/vat.py, line 1)."
    )


def test_a_function_that_is_defined_twice_is_told(write: Write) -> None:
    write("one.py", VAT)
    write("more/two.py", VAT)
    assert "vat_id() is defined more than once" in problem("vat_id('1')")


def test_modules_without_functions_are_not_imported(write: Write) -> None:
    write("vat.py", VAT)
    write("other.py", "raise RuntimeError\n")
    write("not-a-module.py", f"raise RuntimeError\n{VAT}")
    assert not added_functions().problems
    assert list(added_functions().functions) == ["vat_id"]


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package is installed that adds a function."""
    site = tmp_path / "site"
    (site / "acme_rules-1.0.dist-info").mkdir(parents=True)
    (site / "acme_rules-1.0.dist-info/METADATA").write_text("Name: acme-rules\nVersion: 1.0\n")
    points = "[astrio.functions]\nacme = acme_rules\n"
    (site / "acme_rules-1.0.dist-info/entry_points.txt").write_text(points)
    (site / "acme_rules.py").write_text(VAT)
    monkeypatch.syspath_prepend(site)
    finding._modules_of_packages.cache_clear()
    yield
    finding._modules_of_packages.cache_clear()


@pytest.mark.usefixtures("_installed")
def test_an_installed_package_adds_functions_by_an_entry_point(write: Write) -> None:
    assert value("vat_id('1')") == "DE1"
