"""YAML's own complaints, in plain words and at the place where the mistake is."""

from __future__ import annotations

import re

import yaml

from astrio.flows.reading.mistakes import Mistake

_COMMENT = re.compile(r"(?:^|[\s,{\[])(//)(?=\s|$)")
_CLOSED = "is never closed"
_UNQUOTED = "a `,` is missing here, or quotes around text that holds brackets"
_WORDS = (
    # (part of the parser's problem, whether its context is the better place, plain words)
    ("mapping values are not allowed", False, "a second `: ` here: put the text in quotes"),
    ("end of stream", True, f"the quote that opens here {_CLOSED}"),
    ("document indicator", True, f"the quote that opens here {_CLOSED}"),
    ("',' or ']'", True, f"the bracket that opens here {_CLOSED}"),
    ("',' or '}'", True, f"the brace that opens here {_CLOSED}"),
    ("did not find expected node content", False, "something is missing before this place"),
    ("expected the node content", False, "something is missing before this place"),
    ("could not find expected ':'", True, "expected `key: value`"),
    ("did not find expected key", False, "wrong indentation, or text that should be in quotes"),
    ("expected <block end>", False, "wrong indentation, or text that should be in quotes"),
    ("did not find expected '-'", False, "expected another `- ` of the list, or less indentation"),
    ("alphabetic or numeric", True, "text cannot begin with `*` or `&`: put it in quotes"),
    ("document start", False, "a second document begins here: one file holds one integration"),
    ("unexpected ':'", False, "`:` must be followed by a space"),
    ("expected whitespace or line break", True, "tags (`!name`) are not read: use quotes"),
    ("unknown escape character", False, "no such escape in double quotes: use single quotes"),
)


def explain(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    """Turn a parser's error into a mistake."""
    mark = error.problem_mark or error.context_mark
    assert mark is not None, "the parser always says where"
    line = text.split("\n")[mark.line] if mark.line <= text.count("\n") else ""
    if comment := _slashes(text, error):
        return comment
    if special := _special(error.problem or "", line, mark.column):
        return Mistake(mark.line + 1, mark.column + 1, "", special)
    for part, in_context, words in _WORDS:
        if part in (error.problem or ""):
            place = (error.context_mark if in_context else None) or mark
            if _CLOSED in words and mark.line == place.line and line[mark.column :].strip():
                return Mistake(mark.line + 1, mark.column + 1, "", _UNQUOTED)
            return Mistake(place.line + 1, place.column + 1, "", words)
    return Mistake(mark.line + 1, mark.column + 1, "", f"not YAML: {error.problem}")


def _slashes(text: str, error: yaml.MarkedYAMLError) -> Mistake | None:
    """Return the JavaScript comment that the parser stumbles over, if there is one near."""
    mark = error.problem_mark or error.context_mark
    first = (error.context_mark or mark).line if mark else 0
    last = mark.line if mark else 0
    for number, line in enumerate(text.split("\n")[: last + 1]):
        found = _COMMENT.search(line) if number >= first else None
        if found:
            words = "`//` begins no comment in YAML: write `#`, or leave the comment out"
            return Mistake(number + 1, found.start(1) + 1, "", words)
    return None


def _special(problem: str, line: str, column: int) -> str:
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation or "tab character" in problem:
        return "a tab cannot indent YAML: use spaces"
    if "cannot start any token" in problem:
        return f"text cannot begin with `{line[column : column + 1]}`: put it in quotes"
    return ""
