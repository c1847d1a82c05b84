"""`push.children`: what rows have of children is taken out of them before they go in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from astrio.tasks.batch import Problem
from astrio.tasks.columns import clashes, column_name, is_reserved
from astrio.tasks.destinations.base import Written
from astrio.tasks.destinations.children import ChildSettings
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.kinds import Unstorable
from astrio.tasks.destinations.sql.rows import Rows
from astrio.tasks.destinations.sql.values import as_text
from astrio.tasks.texts import is_unicode

RULE: Final = "children"

Child = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Brood:
    """The children of one row.

    Attributes:
        digest: tells whether they are the same as before.
        lists: the objects by their field.
    """

    digest: str
    lists: Mapping[str, Sequence[Child]]


def taken(push: PushSettings, rows: Rows, written: Written) -> Rows:
    """Return the rows without the fields of children; `more` are the children of each row.

    Rows whose children cannot be told apart, or are no objects, are rejected.
    """
    places = {field: rows.fields.index(field) for field in push.children if field in rows.fields}
    broods: list[Brood] = []
    problems: dict[int, list[Problem]] = {}
    for at, row in enumerate(rows.rows):
        lists: dict[str, Sequence[Child]] = {}
        for field, settings in push.children.items():
            value = row[places[field]] if field in places else None
            lists[field] = children = [] if value is None else value
            if reason := _fault(children, settings, _parents(push, settings)):
                problems.setdefault(at, []).append(Problem(field, RULE, reason))
        if at not in problems:
            try:
                broods.append(Brood(_digest(push, lists), lists))
            except Unstorable as error:
                problems[at] = [Problem(None, RULE, str(error))]
    written.rejected += [rows.reject(at, *found) for at, found in problems.items()]
    left = rows.without(problems)
    kept = [place for place in range(len(rows.fields)) if place not in places.values()]
    return Rows(
        tuple(left.fields[place] for place in kept),
        tuple(kept.index(place) for place in left.key),
        [tuple([row[place] for place in kept]) for row in left.rows],
        left.sources,
        broods,
    )


def _parents(push: PushSettings, settings: ChildSettings) -> tuple[str, ...]:
    return settings.parent_columns(push.table, push.key)


def _fault(children: Any, settings: ChildSettings, parents: Sequence[str]) -> str:
    """Return what is wrong with a list of children, an empty text if nothing is."""
    if not isinstance(children, list | tuple):
        return "is no list of objects"
    keys = set[str]()
    for number, child in enumerate(children, start=1):
        if not isinstance(child, Mapping):
            return f"is no list of objects: element {number} is none"
        if wrong := _wrong_name(child, parents):
            return f"element {number} has a field {wrong}"
        key = [child.get(name) for name in settings.key]
        if None in key:
            return f"element {number} has no {settings.key[key.index(None)]}"
        if settings.key and repr(key) in keys:
            return f"two elements have the same {', '.join(settings.key)}"
        keys.add(repr(key))
    return ""


def _wrong_name(child: Child, parents: Sequence[str]) -> str:
    taken_ = {name.lower() for name in parents}
    for name in child:
        if not isinstance(name, str) or not name or "\0" in name or not is_unicode(name):
            return "whose name no database takes"
        if is_reserved(name):
            return f"{name!r}, a name of astrio's own"
        if column_name(name).lower() in taken_:
            return f"{name!r}, which is the column of the parent's key: name another in `parent`"
    for name, earlier in clashes(child):
        return f"{name!r}, whose column {earlier!r} has already"
    return ""


def _digest(push: PushSettings, lists: Mapping[str, Sequence[Child]]) -> str:
    """Return what changes with the children, and with how they are kept.

    Raises:
        Unstorable: one holds what JSON cannot express, nor any column.
    """
    told = sha256(repr(sorted(push.children.items())).encode())
    for field, children in lists.items():
        try:
            told.update(f"{field}\n{as_text(list(children))}\n".encode())
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unstorable("children with a value that cannot be stored") from None
    return told.hexdigest()[:32]
