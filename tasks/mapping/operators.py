"""What the operators do at run time: no casts, null in means null out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any, Final, NoReturn

from astrio.tasks.mapping.values import LONGEST_NUMBER, finite, kind, mismatch, reject

_ORDERED: Final = {int, float, str, Decimal, date, datetime}
_NUMBERS: Final = {int, float, Decimal}
_TRAPS: Final = [DivisionByZero, InvalidOperation, Overflow]
_EXACT: Final = Context(prec=10_000, traps=_TRAPS)
_SHORTEST_QUOTIENT: Final = 28
_MOST_BITS: Final = int(LONGEST_NUMBER * 3.32)


def equal(left: Any, right: Any) -> bool:
    """Compare without casts: values of different kinds differ; true is not 1, but 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        same_keys = left.keys() == right.keys()
        return same_keys and all(equal(value, right[key]) for key, value in left.items())
    left, right = _shown(left, right)
    return bool(left == right)


def _shown(left: Any, right: Any) -> tuple[Any, Any]:
    """Beside a decimal, a float takes part with the digits that it shows: 0.1 is decimal 0.1."""
    if left.__class__ is Decimal and right.__class__ is float:
        return left, Decimal(repr(right))
    if left.__class__ is float and right.__class__ is Decimal:
        return Decimal(repr(left)), right
    return left, right


def _ordering(sign: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        first, second = left.__class__, right.__class__
        if first is not second or first not in _ORDERED:
            if first not in _NUMBERS or second not in _NUMBERS:
                reject(f"{sign} cannot compare {kind(left)} with {kind(right)}")
            left, right = _shown(left, right)
        try:
            return compare(left, right)
        except TypeError:
            reject(f"{sign} cannot compare a time that has a zone with one that has none")

    return ordered


def _arithmetic(sign: str, compute: Callable[[Any, Any], Any], exact: str) -> Callable[..., Any]:
    def computed(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        first, second = left.__class__, right.__class__
        for operand, its_kind in ((left, first), (right, second)):
            if its_kind not in _NUMBERS:
                mismatch(sign, "numbers", operand)
        try:
            if first is Decimal or second is Decimal:
                return _decimal(exact, left, right)
            result = compute(left, right)
            if result.__class__ is float:
                return finite(sign, result)
        except ArithmeticError as error:
            _refuse(sign, error)
        if result.bit_length() > _MOST_BITS:
            reject(f"{sign} leaves the range of numbers")
        return result

    return computed


def _decimal(name: str, left: Any, right: Any) -> Decimal:
    first, second = map(Decimal, _shown(left, right))
    context = _EXACT
    if name == "divide":
        shown = len(first.as_tuple().digits) + len(second.as_tuple().digits)
        context = Context(prec=max(_SHORTEST_QUOTIENT, shown), traps=_TRAPS)
    result: Decimal = getattr(context, name)(first, second)
    return result


def _refuse(sign: str, error: ArithmeticError) -> NoReturn:
    if isinstance(error, ZeroDivisionError | InvalidOperation):
        reject(f"{sign} divides by zero")
    reject(f"{sign} leaves the range of numbers")


less = _ordering("<", operator.lt)
less_or_equal = _ordering("<=", operator.le)
greater = _ordering(">", operator.gt)
greater_or_equal = _ordering(">=", operator.ge)
add = _arithmetic("+", operator.add, "add")
subtract = _arithmetic("-", operator.sub, "subtract")
multiply = _arithmetic("*", operator.mul, "multiply")
divide = _arithmetic("/", operator.truediv, "divide")
