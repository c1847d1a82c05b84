"""Items that failed inside an answer: one outcome for each item that was sent.

{"failed_records": [{"index": 1, "message": "bad time"}]}      path: failed_records, index: index
{"errors": [{"email": "a@b.c", "error": "is unknown"}]}        path: errors, key: email
[{"status": 201}, {"status": 400, "detail": "no name"}]        path: $, ok: "status < 300"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from astrio.blocks.errors import ApiAnswerError, RecordRejectedError
from astrio.blocks.settings import Settings
from astrio.tasks.answers import message_of
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.paths import compile_path
from astrio.tasks.shapes import describe

_ABSENT: Any = object()


class ItemsSettings(Settings):
    """Where an answer tells what became of each item that was sent."""

    path: str = Field(description="Path to the list of outcomes, e.g. failed_records.")
    ok: str | None = Field(
        default=None, description="Expression over an outcome; without it all listed have failed."
    )
    index: str | None = Field(default=None, description="Path to an item's 0-based place.")
    key: str | None = Field(default=None, description="Path to what identifies an item.")
    sent_key: str | None = Field(default=None, description="The same in what was sent, else `key`.")
    message: str | None = Field(default=None, description="Path to an outcome's message.")

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.index is not None and self.key is not None:
            raise ValueError("give `index` or `key`, not both")
        if self.ok is None and self.index is None and self.key is None:
            raise ValueError("a list of failures needs `index` or `key`")
        return self


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item: `unknown` where the answer does not say."""

    state: Literal["ok", "failed", "unknown"]
    message: str = ""


def split_items(
    settings: ItemsSettings, status: int, body: Any, sent: Sequence[Any], context: MappingContext
) -> list[ItemOutcome]:
    """Return an outcome for each item of `sent`, in that order.

    Args:
        settings: how the answer tells them.
        status: the answer's HTTP status.
        body: the decoded answer.
        sent: the items of the request.
        context: the clock of `ok`.

    Raises:
        ApiAnswerError: the answer names no outcomes although the request failed, or names items
            that were not sent: nobody can tell then what became of them.
    """
    told = compile_path(settings.path).first(body, _ABSENT)
    if told is _ABSENT or told is None:
        if settings.ok is None and 200 <= status < 300:
            return [ItemOutcome("ok")] * len(sent)  # no failures are listed
        raise _unclear(f"{status} without a list at {settings.path}")
    if not isinstance(told, list):
        raise _unclear(f"{describe(told)} at {settings.path}, not a list")
    holds = None if settings.ok is None else compile_expression(settings.ok, context)
    silent = ItemOutcome("ok" if settings.ok is None else "unknown")
    outcomes = [silent] * len(sent)
    for place, entry in _placed(settings, told, sent):
        found = _judged(settings, entry, holds)
        if outcomes[place].state != "failed":  # an item may be told several times
            outcomes[place] = found
    return outcomes


def _judged(settings: ItemsSettings, entry: Any, holds: Callable[[Any], Any] | None) -> ItemOutcome:
    try:
        if holds is not None and holds(entry):
            return ItemOutcome("ok")
    except RecordRejectedError as error:
        return ItemOutcome("unknown", error.message)
    return ItemOutcome("failed", message_of(entry, settings.message))


def _placed(
    settings: ItemsSettings, told: list[Any], sent: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    """Yield each outcome with the place of the item it is about."""
    if settings.key is not None:
        yield from _by_key(settings.key, settings.sent_key or settings.key, told, sent)
        return
    if settings.index is None:
        if len(told) != len(sent):
            raise _unclear(f"{len(told)} outcomes for {len(sent)} items")
        yield from enumerate(told)
        return
    path = compile_path(settings.index)
    for entry in told:
        place = path.first(entry)
        if isinstance(place, str) and place.isdecimal():
            place = int(place)
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(sent):
            raise _unclear(f"an outcome whose {settings.index} names no item that was sent")
        yield place, entry


def _by_key(
    key: str, sent_key: str, told: list[Any], sent: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    places: dict[str, list[int]] = {}
    of_sent, of_told = compile_path(sent_key), compile_path(key)
    for place, item in enumerate(sent):
        places.setdefault(repr(of_sent.first(item)), []).append(place)
    for entry in told:
        named = of_told.first(entry)
        for each in named if isinstance(named, list) else [named]:  # HubSpot names several
            found = places.get(repr(each)) if each is not None else None
            if not found:
                raise _unclear(f"an outcome whose {key} names no item that was sent")
            yield from ((place, entry) for place in found)


def _unclear(what: str) -> ApiAnswerError:
    return ApiAnswerError(
        f"The API's answer does not tell which items failed: {what}.",
        advice="Check `items` (path, ok, index, key) against the vendor's documentation.",
    )
