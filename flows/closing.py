"""How a slice commits, what a crash leaves of it, and whether its watermark moves."""

from __future__ import annotations

from typing import Any, Final

from astrio.flows.integration import Integration, Source
from astrio.flows.resuming import ResumeMaker, ResumePoint
from astrio.flows.wholeness import reads_everything
from astrio.tasks.decode.choice import Decoding
from astrio.tasks.destinations.base import StreamState
from astrio.tasks.destinations.opening import takes_back
from astrio.tasks.incremental import Window, advance, higher
from astrio.tasks.options import RunOptions
from astrio.tasks.outcome import Outcome

_UPDATING: Final = ("upsert", "history")


def close_by(  # noqa: PLR0913, PLR0917 (all that decides it)
    outcome: Outcome,
    integration: Integration,
    options: RunOptions,
    state: StreamState,
    window: Window,
    point: ResumePoint | None,
) -> None:
    """Decide how the slice commits, what a crash leaves, and whether the watermark moves.

    Args:
        outcome: takes the decisions.
        integration: its source and destinations.
        options: of this run.
        state: what the stream remembers.
        window: what is read.
        point: where an unfinished run is gone on with.
    """
    incremental = integration.source.incremental
    options = options.model_copy(update=point.bounds if point else {})
    durable = _is_durable(integration.source)
    once = _commits_once(outcome, integration, durable=durable)
    unbounded = (options.since, options.until, options.limit) == (None, None, None)
    whole = incremental is None or options.full_refresh
    every = integration.push.all
    outcome.reread = any(push.mode in _UPDATING for push in every) and unbounded and whole
    if any(push.vanished.rows != "keep" for push in every):
        outcome.whole = reads_everything(integration, options, window)
    if durable and not (once or outcome.all_or_nothing) and options.limit is None:
        outcome.resume_point = ResumeMaker(integration, options, window)
    if incremental is None:
        return
    outcome.cursor = incremental.cursor or incremental.token
    outcome.higher = higher if incremental.cursor else _latest
    if unbounded:
        known = None if options.full_refresh else state.watermark
        _move(outcome, integration.source, known, window)
        # The cursor of a window is told with its last page.
        in_order = incremental.sorted or incremental.step or integration.source.paginate.cap
        outcome.sorted = bool(in_order) and not (once or outcome.all_or_nothing)


def _is_durable(source: Source) -> bool:
    """Whether a page's position survives, so that a later run can go on from it."""
    if source.parent is not None and not source.parent.paginate.durable:
        return False
    # A piece in the middle of a large answer is no position to go on from.
    in_pieces = Decoding(source.response).in_pieces
    apart = (source.export, source.python) != (None, None)
    return source.paginate.durable and not in_pieces and not apart


def _commits_once(outcome: Outcome, integration: Integration, *, durable: bool) -> bool:
    """Note how the slice commits; return whether appended rows must come all at once."""
    source, every = integration.source, integration.push.all
    judged_at_end = source.paginate.total is not None or integration.max_rejected is not None
    judged_at_end |= any(each.severity == "error" for each in integration.quality)
    adding = [push for push in every if push.mode == "append" and not push.staged]
    once = bool(adding) and (not durable or judged_at_end or outcome.staged)
    outcome.atomic = once and any(map(takes_back, adding))
    outcome.replaces = any(push.mode == "replace" for push in every)
    return once


def _move(outcome: Outcome, source: Source, known: Any, window: Window) -> None:
    """Let the watermark move, unless `max_pages` has cut the slice below its highest cursor."""
    incremental, report = source.incremental, outcome.account.report
    assert incremental is not None

    def moved(cursor: Any) -> Any:
        if report.stop_reason == "limit" and not incremental.sorted:
            return None
        return advance(known, cursor, window.end) if incremental.cursor else cursor

    outcome.advance = moved


def _latest(_known: Any, token: Any) -> Any:
    """Tokens have no order: the last one counts."""
    return token
