"""How far several destinations are: where the reading starts, and what each of them has already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.several.naming import of_run
from astrio.tasks.incremental import higher

OWN = "own"
"""The key of a resume point under which a destination keeps its own counts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one destination is.

    Attributes:
        name: tells it from the others.
        state: what it remembers.
        appends: what it is given twice, it holds twice.
    """

    name: str
    state: StreamState
    appends: bool

    def ended(self, run: str) -> bool:
        """Whether this logical run is complete here."""
        return self.state.ended == of_run(run, self.name)

    def left(self, run: str) -> bool:
        """Whether this logical run was begun here, and has not been completed."""
        return of_run(run, self.name) in self.state.unended


@dataclass(frozen=True, slots=True)
class Level:
    """Where the reading starts.

    Attributes:
        state: the state of the least advanced, for whoever plans the reading.
        run: the logical run that is complete in some destinations and not in others.
    """

    state: StreamState
    run: str | None = None


def level(standings: Sequence[Standing]) -> Level:
    """Return where the reading of a source starts, given how far its destinations are.

    A run commits to one destination after the other, in this order; so the last one of those
    that are least advanced counts what all of them have.

    Raises:
        ConfigurationError: rows would be appended twice.
    """
    states = [each.state for each in standings]
    resumed = [each for each in standings if each.state.resume is not None]
    start = StreamState(watermark=_lowest(states), profile=states[-1].profile)
    if not resumed:
        return Level(start, _half_done(standings))
    least = min(resumed, key=lambda each: _pages(each.state))
    last = [each for each in resumed if _pages(each.state) == _pages(least.state)][-1]
    if all(_goes_on(each, last.state) for each in standings):
        return Level(replace(last.state, ties={}), _run(last.state))
    if not all(_is_at_first_chunk(each, _run(last.state)) for each in standings):
        _refuse_doubles(resumed)
    return Level(start)


def _goes_on(standing: Standing, from_: StreamState) -> bool:
    """Whether a destination has all up to there, and no more than a chunk beyond it."""
    point = standing.state.resume
    if point is None:
        return standing.ended(_run(from_))
    pages = _pages(from_)
    begun = _pages(standing.state) == pages or point.get(OWN, {}).get("since") == pages
    return _run(standing.state) == _run(from_) and begun


def _is_at_first_chunk(standing: Standing, run: str) -> bool:
    """Whether a destination has begun this run, and has the first chunk of it at most."""
    point = standing.state.resume
    if point is None:
        return standing.left(run)
    return _run(standing.state) == run and point.get(OWN, {}).get("since") == 0


def _half_done(standings: Sequence[Standing]) -> str | None:
    """Return a run without a resume point that is complete somewhere, and somewhere is not."""
    for each in standings:
        run = _logical(each)
        if run is not None and any(other.left(run) for other in standings):
            return run
    return None


def _logical(standing: Standing) -> str | None:
    ended = standing.state.ended
    return None if ended is None else ended.removesuffix(of_run("", standing.name))


def _refuse_doubles(resumed: Sequence[Standing]) -> None:
    for each in resumed:
        if each.appends:
            raise ConfigurationError(
                f"An unfinished run has appended rows to {each.name}, and other destinations of "
                "this integration do not know of that run: starting anew would append them twice.",
                advice="Let it finish with the destinations it began with, then add others.",
            )


def _lowest(states: Sequence[StreamState]) -> Any:
    """Return the lowest watermark; None where one has none, or they cannot be compared."""
    marks = [state.watermark for state in states]
    lowest = marks[0]
    for mark in marks[1:]:
        if mark is None or lowest is None:
            return None
        if mark == lowest:
            continue
        try:
            lowest = mark if higher(mark, lowest) == lowest else lowest
        except AstrioError:  # tokens have no order: everything is read
            return None
    return lowest


def _run(state: StreamState) -> str:
    return str((state.resume or {})["run_id"])


def _pages(state: StreamState) -> int:
    return int((state.resume or {})["pages"])
