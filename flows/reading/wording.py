"""Pydantic's errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.alias_generators import to_camel, to_snake

from astrio.flows.reading.known import Known, closest
from astrio.flows.reading.later import later_key, later_value
from astrio.flows.reading.node import Node
from astrio.flows.reading.spot import Spot
from astrio.tasks.mapping.check import ExpressionProblem
from astrio.tasks.python.references import PATTERN as REFERENCE

_KINDS = (
    # (beginning of pydantic's error type, what was expected)
    ("string_type", "text"),
    ("int_", "a whole number"),
    ("float_", "a number"),
    ("bool_", "true or false"),
    ("dict_type", "a mapping"),
    ("model_", "a mapping"),
    ("tuple_type", "a list"),
    ("list_type", "a list"),
)
_LIMITS = (
    ("greater_than_equal", "must be at least {ge:g}"),
    ("greater_than", "must be more than {gt:g}"),
    ("less_than_equal", "must be at most {le:g}"),
    ("less_than", "must be less than {lt:g}"),
    ("too_short", "needs at least {min_length}"),
    ("too_long", "takes at most {max_length}"),
    ("string_too_short", "needs at least {min_length} characters"),
    ("string_too_long", "takes at most {max_length} characters"),
)
_PATTERNS = {
    r"^[a-z0-9_-]{1,64}$": "1 to 64 of a-z, 0-9, _ and -",
    REFERENCE: "the name of a module and of what is in it, such as users:transform",
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}$": "a letter or _, then letters, digits and _ (63 at most)",
}
_SHOWN = 40


def expected_kind(error: Mapping[str, Any]) -> str:
    """Return what kind of value was expected, or an empty text if the kind is not the matter."""
    for prefix, kind in _KINDS:
        if error["type"].startswith(prefix):
            return kind
    return ""


def wrong_kind(kinds: Iterable[str], spot: Spot) -> str:
    """Describe a value of a kind that cannot stand there."""
    wanted = list(dict.fromkeys(kinds))
    hint = _hint(wanted, spot)
    return f"expected {' or '.join(wanted)}, found {_found(spot)}{hint}"


def _hint(wanted: list[str], spot: Spot) -> str:
    value, scalar = spot.node.value, spot.node.entries is None and spot.node.items is None
    if "text" in wanted and scalar and value is not None:
        return ": put it in quotes"
    if wanted == ["a list"] and isinstance(value, str) and not spot.secret:
        return f": write [{value}]"
    return ""


def _found(spot: Spot) -> str:
    node = spot.node
    if node.entries is not None:
        return "a mapping"
    if node.items is not None:
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return str(node.value).lower()
    kind = "text" if isinstance(node.value, str) else "the number"
    return kind.replace("the ", "a ") if spot.secret else f"{kind} {shown(node)}"


def shown(node: Node) -> str:
    """Quote a scalar for a message, shortened."""
    text = str(node.value)
    return f"`{text}`" if len(text) <= _SHOWN else f"`{text[:_SHOWN]}…`"


def describe(error: Mapping[str, Any], spot: Spot) -> str:
    """Return one line about an error that is not about the kind of value."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return _no_choice(spot, re.findall(r"'([^']*)'", context["expected"]))
    if kind == "union_tag_not_found":
        return f"`type` is missing: one of {_listed(spot.known.tags)}"
    if kind == "string_pattern_mismatch":
        return _no_match(spot, context["pattern"])
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    return f"`{spot.path}` {_limit(kind, context, spot) or error['msg']}"


def _limit(kind: str, context: Mapping[str, Any], spot: Spot) -> str:
    if context.get("min_length") == 1:
        return "must not be empty"
    told = [words.format(**context) for name, words in _LIMITS if name == kind]
    return f"{told[0]}, found {_found(spot)}" if told else ""


def wrong_tag(spot: Spot) -> str:
    """Describe a `type` that no part of the union has, or a name that stands for one."""
    tags = spot.known.tags if spot.missing else spot.above.tags
    return _no_choice(spot, tags, spot.schema_path.removesuffix(".type"))


def _no_choice(spot: Spot, choices: Iterable[str], path: str | None = None) -> str:
    value = spot.node.value
    if later := later_value(path or spot.schema_path, value):
        return later
    meant = closest(str(value), choices) if isinstance(value, str) else ""
    hint = f"; did you mean `{meant}`?" if meant else ""
    return f"{_found(spot)} is none of {_listed(choices)}{hint}"


def _listed(choices: Iterable[str]) -> str:
    return ", ".join(f"`{choice}`" for choice in choices)


def _no_match(spot: Spot, pattern: str) -> str:
    words = f"`{spot.path}` must be {_PATTERNS.get(pattern, f'of the form {pattern}')}"
    gap = "-" if spot.path == "name" else "_"
    proposal = re.sub(r"[^a-z0-9_]+", gap, str(spot.node.value).lower()).strip(gap)
    hint = f"; for example `{proposal}`" if re.fullmatch(pattern, proposal) else ""
    return f"{words}, found {_found(spot)}{hint}"


def missing_key(spot: Spot) -> str:
    """Describe a key that must be there and is not."""
    field = spot.known.fields.get(spot.missing)
    told = f": {field.description.rstrip('.')}" if field and field.description else ""
    where = f" in `{spot.path}`" if spot.path else ""
    return f"`{spot.missing}` is missing{where}{told}"


def unknown_key(spot: Spot) -> str:
    """Describe a key that cannot stand there."""
    parent, _, key = spot.path.rpartition(".")
    where = f" in `{parent}`" if parent else ""
    if later := later_key(spot.schema_path.rpartition(".")[0], key):
        return later
    if to_snake(key) in spot.above.fields and to_snake(key) != key == to_camel(to_snake(key)):
        return f"`{key}` and `{to_snake(key)}` are the same key: keep one"
    home = Known.top().home_of(key)
    elsewhere = home if home.rpartition(".")[0] != parent else ""
    if meant := closest(key, spot.above.fields) or elsewhere:
        return f"unknown key `{key}`{where}; did you mean `{meant}`?"
    where += " of this `type`" if home else ""
    return f"unknown key `{key}`{where}; known are {_listed(spot.above.fields)}"


def problem_words(problem: ExpressionProblem, node: Node) -> str:
    """Describe what is wrong with an expression, on one line."""
    words = problem.message.rstrip(".")
    if problem.suggestion:
        words += f"; {problem.suggestion[:1].lower()}{problem.suggestion[1:].rstrip('.')}"
    quoted = node.raw[:1] in ("'", '"') or problem.offset is None
    for sign, why in (("#", "` #` begins a comment"), (",", "`,` ends it inside braces")):
        if node.tail.lstrip().startswith(sign) and "(" in node.raw and not quoted:
            words += f" ({why}: put the whole expression in quotes)"
    return words
