"""Paths into JSON documents: dotted paths as direct look-ups, the rest by jsonpath-ng.

`customer.name`, `$.items[0].id`, `data[-1].id`, `items[*].sku`, `$['a.b']` and OData's
`@odata.nextLink` are compiled here, since a direct look-up costs a thirtieth of jsonpath-ng's.
Filters, slices, unions and `..` go to `jsonpath_ng.ext`, which is imported only then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.path_names import unescaped
from astrio.tasks.shapes import describe, expected_list, missing_key


class PathSyntaxError(ValueError):
    """The text is no path; `offset` is the 0-based character where it goes wrong."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        """Take the path's text, the place and the reason."""
        super().__init__(f"{text!r} is not a path: {reason} at character {offset + 1}.")
        self.text = text
        self.offset = offset
        self.reason = reason


class MissingPathError(ApiAnswerError):
    """The records path leads nowhere in this answer."""


class Every(Enum):
    """A wildcard step; as a records path `[*]` takes a list only, `.*` also an object's values."""

    ITEM = "[*]"
    VALUE = ".*"


Step = str | int | Every
MISSING: Final = object()

_ROOT = re.compile(r"\$(?=[.\[]|$)")
_NAME = re.compile(r"@\w+\.\w+|[\w$@][\w$@:-]*")
_BRACKET = re.compile(r"""\[\s*(?:(-?\d+)|(\*)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]""")
_BACKTRACKING = re.compile(r"""^(?:[^'"]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*?(=~|`sub\b)""")
_PLAIN_END = re.compile(_BRACKET.pattern + "$")


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A compiled path.

    Attributes:
        text: as written.
        steps: the steps known here; for a jsonpath-ng path the plain ones it begins with.
        expression: the jsonpath-ng expression where the steps are not the whole path.
    """

    text: str
    steps: tuple[Step, ...]
    expression: Any = None

    @property
    def definite(self) -> bool:
        """Whether the path names at most one value."""
        return self.expression is None and not any(isinstance(step, Every) for step in self.steps)

    def first(self, document: Any, default: Any = None) -> Any:
        """Return the first value found, or `default`; a null that is there counts as found."""
        if self.expression is not None:
            return next(iter(self._search(document)), default)
        value = document
        for place, step in enumerate(self.steps):
            if isinstance(step, Every):
                return next(_walk(value, self.steps[place:]), default)
            value = _child(value, step)
            if value is MISSING:
                return default
        return value

    def column(self, documents: list[Any]) -> list[Any]:
        """Return the first value of each document, None where there is none."""
        if len(self.steps) == 1 and isinstance(self.steps[0], str) and self.expression is None:
            name = self.steps[0]
            try:
                return [document.get(name) for document in documents]
            except AttributeError:  # not all are objects
                pass
        return [self.first(document) for document in documents]

    def values(self, document: Any) -> list[Any]:
        """Return every value found, in document order; none found is an empty list."""
        if self.expression is not None:
            return self._search(document)
        return list(_walk(document, self.steps))

    def records(self, document: Any, *, allow_missing: bool = False) -> list[Any]:
        """Return the records: the elements of the list (or lists) that the path leads to.

        A trailing `[*]` may be written or left out. An empty list is fine; a path that is missing
        or null is not, unless `allow_missing`.

        Raises:
            MissingPathError: the path is missing or null.
            ApiAnswerError: something else than a list is there.
        """
        if self.expression is not None:
            return self._searched_records(document, allow_missing)
        return self._follow(document, _with_list(self.steps), allow_missing)

    def _follow(self, document: Any, steps: tuple[Step, ...], lax: bool) -> list[Any]:
        """Follow the steps from one node to many; a step that is not there is an error."""
        nodes: list[Any] = [document]
        where = "$"
        for step in steps:
            if isinstance(step, Every):
                nodes = self._elements(nodes, step, where, lax)
            else:
                nodes = self._children(nodes, step, where, lax)
            where += _written(step)
        return nodes

    def _children(self, nodes: list[Any], step: str | int, where: str, lax: bool) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            value = _child(node, step)
            if value is not MISSING:
                found.append(value)
            elif not lax:
                message, advice = missing_key(self.text, where, step, node)
                raise MissingPathError(message, advice=advice)
        return found

    def _elements(self, nodes: list[Any], step: Every, where: str, lax: bool) -> list[Any]:
        lists: list[list[Any]] = []
        for node in nodes:
            if isinstance(node, list):
                lists.append(node)
            elif step is Every.VALUE and isinstance(node, dict):
                lists.append(list(node.values()))
            elif node is not None:
                message, advice = expected_list(self.text, where, node)
                raise ApiAnswerError(message, advice=advice)
            elif not lax:
                raise MissingPathError(
                    f"The records path {self.text} leads to null at {where}.",
                    advice="If that means no records, set allow_missing: true.",
                )
        return lists[0] if len(lists) == 1 else [item for found in lists for item in found]

    def _searched_records(self, document: Any, lax: bool) -> list[Any]:
        self._follow(document, self.steps, lax)
        parent = compile_path(self.text.removesuffix("[*]"))
        found = parent.values(document)
        if parent.text == self.text and _selects(self.text):
            return found
        if not found and not lax:
            raise MissingPathError(
                f"The records path {self.text} leads nowhere: the answer is {describe(document)}.",
                advice="Correct `records`, or set allow_missing: true if that means no records.",
            )
        return self._elements(found, Every.ITEM, parent.text, lax)

    def _search(self, document: Any) -> list[Any]:
        try:
            return [match.value for match in self.expression.find(document)]
        except Exception as error:  # whatever jsonpath-ng meets in the data comes through
            raise ApiAnswerError(
                f"The path {self.text} cannot be applied to the answer ({type(error).__name__}).",
                advice="The values it walks or compares are not of the kind it expects.",
            ) from error


def compile_path(text: str) -> JsonPath:
    """Compile a dotted path or JSONPath (RFC 9535 in its common part); "" and "$" are the root.

    Raises:
        PathSyntaxError: the text is neither.
    """
    stripped = text.strip()
    steps, end = _plain_steps(stripped)
    if end == len(stripped):
        return JsonPath(stripped, steps)
    return JsonPath(stripped, steps, _parse(stripped, end))


def _plain_steps(text: str) -> tuple[tuple[Step, ...], int]:
    """Read plain steps from the start; return them and where reading had to stop."""
    root = _ROOT.match(text)
    place = root.end() if root else 0
    steps: list[Step] = []
    while place < len(text):
        found = _step_at(text, place, first=not root and not steps)
        if found is None:
            break
        step, place = found
        steps.append(step)
    return tuple(steps), place


def _step_at(text: str, place: int, *, first: bool) -> tuple[Step, int] | None:
    bracket = _BRACKET.match(text, place)
    if bracket:
        return _bracket_step(bracket), bracket.end()
    if not first and text[place] != ".":
        return None
    start = place if first else place + 1
    if text[start : start + 1] == "*":
        return Every.VALUE, start + 1
    name = _NAME.match(text, start)
    return (name.group(), name.end()) if name else None


def _bracket_step(match: re.Match[str]) -> Step:
    index, wild, single, double = match.groups()
    if index is not None:
        return int(index)
    if wild is not None:
        return Every.ITEM
    try:
        return unescaped(single if single is not None else double)
    except ValueError as error:
        raise PathSyntaxError(match.string, match.start(), str(error)) from None


@lru_cache(maxsize=256)
def _parse(text: str, offset: int) -> Any:
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    backtracking = _BACKTRACKING.search(text)
    if backtracking:
        raise PathSyntaxError(
            text, backtracking.start(1), "regular expressions belong into matches(), not here"
        )
    try:
        return parse(text)
    except (JSONPathError, ValueError, RecursionError) as error:
        told = re.search(r"(?:1:|col )(\d+)", str(error))
        reason = "it ends too early" if "end of string" in str(error) else "unexpected character"
        place = len(text) if "end of string" in str(error) else int(told[1]) if told else offset
        raise PathSyntaxError(text, place, reason) from None


def _selects(text: str) -> bool:
    """Whether a searched path ends in a filter, slice or union: then it finds the records."""
    return text.endswith(".*") or (text.endswith("]") and not _PLAIN_END.search(text))


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    try:
        return value[step]
    except IndexError:
        return MISSING


def _walk(value: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    for place, step in enumerate(steps):
        if isinstance(step, Every):
            for child in _every(value):
                yield from _walk(child, steps[place + 1 :])
            return
        value = _child(value, step)
        if value is MISSING:
            return
    yield value


def _every(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _with_list(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return steps if steps and isinstance(steps[-1], Every) else (*steps, Every.ITEM)


def _written(step: Step) -> str:
    if isinstance(step, Every):
        return step.value
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _NAME.fullmatch(step) else f"[{step!r}]"
