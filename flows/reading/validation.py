"""Nodes to the model; every error of pydantic becomes a mistake with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from astrio.flows.reading.known import Known, closest
from astrio.flows.reading.later import later_key
from astrio.flows.reading.mistakes import Mistake, Place
from astrio.flows.reading.node import Node
from astrio.flows.reading.spot import Spot, locate
from astrio.flows.reading.wording import (
    describe,
    expected_kind,
    missing_key,
    unknown_key,
    wrong_kind,
    wrong_tag,
)

M = TypeVar("M", bound=BaseModel)
Located = tuple[Mapping[str, Any], Spot]


def validate(root: Node, model: type[M]) -> tuple[M | None, list[Mistake]]:
    """Return the integration (or the trigger), or None and what keeps it from being one."""
    try:
        return model.model_validate(root.plain(), by_alias=True, by_name=False), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    top = Known((model,))
    located: list[Located] = [(each, locate(root, each["loc"], top)) for each in errors]
    return None, [*_wrong_kinds(located), *_others(located, root, top)]


def _wrong_kinds(located: Sequence[Located]) -> Iterator[Mistake]:
    """Yield one mistake for a value that is of none of the kinds a union would take."""
    kinds: dict[str, list[str]] = {}
    spots: dict[str, Spot] = {}
    for error, spot in located:
        if kind := expected_kind(error):
            kinds.setdefault(spot.path, []).append(kind)
            spots[spot.path] = spot
    for path, spot in spots.items():
        if not any(_is_about(path, error, other) for error, other in located):
            yield _mistake(spot.node.place, spot, wrong_kind(kinds[path], spot))


def _is_about(path: str, error: Mapping[str, Any], spot: Spot) -> bool:
    """Whether the error is about what is in a value of the right kind, or about its form."""
    below = spot.path.startswith((f"{path}.", f"{path}["))
    return below or (spot.path == path and error["type"] == "string_pattern_mismatch")


def _others(located: Sequence[Located], root: Node, top: Known) -> Iterator[Mistake]:
    for error, spot in located:
        kind = error["type"]
        if kind == "too_short" and any(_is_about(spot.path, *other) for other in located):
            continue  # it has items, and each of them is wrong
        if kind == "missing":
            if not _explained(spot):
                yield _mistake(spot.key_place, spot, missing_key(spot))
        elif kind == "extra_forbidden":
            yield _mistake(spot.key_place, spot, unknown_key(spot))
        elif kind == "union_tag_invalid":
            tag = locate(root, (*error["loc"], "type"), top)
            yield _mistake(tag.node.place, tag, wrong_tag(tag))
        elif kind == "union_tag_not_found":
            yield _mistake(spot.key_place, spot, describe(error, spot))
        elif not expected_kind(error):
            yield _mistake(spot.node.place, spot, describe(error, spot))


def _explained(spot: Spot) -> bool:
    """Whether a key beside the missing one is a misspelling of it, or stands in its place."""
    return any(
        closest(key, spot.known.fields) == spot.missing or later_key(spot.schema_path, key)
        for key in spot.node.entries or {}
        if spot.known.fields.get(key) is None
    )


def _mistake(place: Place, spot: Spot, message: str) -> Mistake:
    return Mistake.at(place, spot.path, message)
