"""Telling a watcher how far a run is: the terminal's bar, Prefect's progress artifact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from astrio.tasks.report import RunReport


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `claimed` is the API's own total, if it names one.

    Attributes:
        parts: of a run of several parts, how many have ended, and how many there are.
    """

    pages: int
    fetched: int
    rejected: int
    claimed: int | None
    parts: tuple[int, int] | None = None


Watcher = Callable[[Progress | RunReport], None]
_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("astrio_watchers", default=())


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call `watcher` with each page's progress and the final report; it must be quick."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


@contextmanager
def watching_alone(watcher: Watcher) -> Iterator[None]:
    """As `watching`, and let no other watcher hear of it: a run within a run."""
    token = _watchers.set((watcher,))
    try:
        yield
    finally:
        _watchers.reset(token)


def announcer() -> Watcher:
    """Return what tells the watchers of this context, from whichever it is called."""
    watchers = _watchers.get()

    def tell(news: Progress | RunReport) -> None:
        for watcher in watchers:
            watcher(news)

    return tell


def announce(news: Progress | RunReport) -> None:
    """Tell the watchers of this context: of every page, and at the end of the whole report."""
    announcer()(news)
