"""Functions that users add to the mapping language, by the decorator `mapping_function`."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from astrio.tasks.mapping.catalogue import Function, function_names
from astrio.tasks.mapping.values import LiteralError, kind, mismatch, reject
from astrio.tasks.python.annotations import Parameter, parameters_of
from astrio.tasks.python.copying import copied
from astrio.tasks.python.references import asks_for_context
from astrio.tasks.python.telling import reason_of, written_at

F = TypeVar("F", bound=Callable[..., Any])
_MARK: Final = "__astrio_function__"
_WORDS: Final = frozenset({"and", "or", "not", "true", "false", "null"})
_EXAMPLE = re.compile(r"^>>> (?P<expression>.+)\n(?P<value>.+)$", re.MULTILINE)
_REJECTED: Final = "rejected"
_NO_VALUES: Final = (set, frozenset, bytes, bytearray, complex)


def mapping_function(function: F) -> F:
    '''Add a function to the mapping language, under its own name.

        @mapping_function
        def vat_id(text: str, country: str = "DE") -> str:
            """The VAT number in capitals, without blanks and with its country.

            >>> vat_id('12 34')
            'DE1234'
            >>> vat_id(12)
            rejected
            """

    Its docstring says what it does; an example is an expression and its value as Python writes
    it. A null argument gives null without a call, unless the parameter's type allows None. An
    argument of another type than the parameter's rejects the record, and so does whatever the
    function raises. Lists and objects are copies. A keyword-only parameter `context` is given the
    run's clock and zone.

    Raises:
        ValueError: the name is taken or cannot be written in an expression, the docstring is
            missing, an example has no value, or the function cannot be called by expressions.
    '''
    setattr(function, _MARK, _declared(function))
    return function


def declared_in(values: Iterator[Any]) -> Iterator[Function]:
    """Yield the functions of the mapping language among these values."""
    for value in values:
        found = getattr(value, "__dict__", {}).get(_MARK) if inspect.isfunction(value) else None
        if isinstance(found, Function):
            yield found


def _declared(function: Callable[..., Any]) -> Function:
    name = function.__name__.rstrip("_")
    _check_name(name)
    text = inspect.cleandoc(function.__doc__ or "")
    if not text:
        raise ValueError(f"{name}() needs a docstring that says what it does")
    told = _EXAMPLE.sub("", text).strip()
    summary, _, details = told.partition("\n\n")
    examples = [(each["expression"], each["value"].strip()) for each in _EXAMPLE.finditer(text)]
    positional, rest = _positional(function, name)
    usage = [each.name for each, _ in positional] + ([f"{rest.name}, …"] if rest else [])
    caller = _Caller(function, name, [parameter for _, parameter in positional], rest)
    return Function(
        name=name,
        usage=f"{name}({', '.join(usage)})",
        summary=" ".join(summary.split()),
        details=details.strip(),
        examples=[(each, _value(name, value)) for each, value in examples if value != _REJECTED],
        rejects=[each for each, value in examples if value == _REJECTED],
        least=sum(each.default is each.empty for each, _ in positional),
        most=None if rest else len(positional),
        call=caller,
        emit=None,
        needs_context=asks_for_context(function),
        prepare=caller.prepare,
        origin=written_at(function),
    )


def _check_name(name: str) -> None:
    if name in function_names():
        raise ValueError(f"{name}() is a function of the mapping language already")
    if not name.isidentifier() or name.startswith("_") or name in _WORDS:
        raise ValueError(f"{name!r} cannot be a function's name in an expression")


def _positional(
    function: Callable[..., Any], name: str
) -> tuple[list[tuple[inspect.Parameter, Parameter]], Parameter | None]:
    """Return the parameters that an expression fills in one by one, and the one for all others."""
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise ValueError(f"{name}() must be a plain function: neither async nor a generator")
    known = list(parameters_of(function))
    rest = [parameter for each, parameter in known if each.kind is each.VAR_POSITIONAL]
    named = [each.name for each, _ in known if each.kind in (each.KEYWORD_ONLY, each.VAR_KEYWORD)]
    if set(named) - {"context"}:
        raise ValueError(f"{name}() cannot be given `{named[0]}`: expressions name no arguments")
    positional = [pair for pair in known if pair[0].kind in _BY_PLACE]
    return positional, rest[0] if rest else None


_BY_PLACE: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


def _value(name: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise ValueError(f"an example of {name}() has no Python value: {text}") from None


@dataclass(frozen=True, slots=True)
class _Caller:
    """Calls the user's function with arguments that it can take."""

    function: Callable[..., Any]
    name: str
    parameters: Sequence[Parameter]
    rest: Parameter | None

    def __call__(self, *arguments: Any, **context: Any) -> Any:
        """Return the value; a null argument gives null where null is not declared."""
        given = list(arguments)
        for place, value in enumerate(arguments):
            parameter = self._parameter(place)
            if value is None:
                if not parameter.nullable:
                    return None
            elif not parameter.takes(value):
                mismatch(f"{self.name}()", parameter.wanted, value)
            elif value.__class__ in (list, dict):
                given[place] = copied(value)
        try:
            found = self.function(*given, **context)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a user's function may raise anything)
            file = self.function.__code__.co_filename
            reject(f"{self.name}(): {reason_of(error, file)}")
        if isinstance(found, _NO_VALUES):
            reject(f"{self.name}() returned a {type(found).__name__}, which no record can hold")
        return found

    def prepare(self, place: int, value: Any) -> Any:
        """Refuse a constant that the function does not take, before anything is sent."""
        parameter = self._parameter(place)
        if value is not None and not parameter.takes(value):
            raise LiteralError(f"{self.name}() needs {parameter.wanted}, not {kind(value)}.")
        return value

    def _parameter(self, place: int) -> Parameter:
        if place < len(self.parameters):
            return self.parameters[place]
        assert self.rest is not None  # the number of arguments has been checked
        return self.rest
