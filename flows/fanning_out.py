"""The destination of a run: one, or several that are written as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from astrio.flows.integration import Integration
from astrio.tasks.cursor_reader import CursorReader
from astrio.tasks.destinations.base import Destination, StreamState
from astrio.tasks.destinations.opening import (
    destination_reference,
    open_destination,
    open_dry_run,
    takes_back,
    takes_one_writer,
)
from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.several.fan_out import FanOut
from astrio.tasks.destinations.several.gate import Gate, Gating
from astrio.tasks.destinations.several.member import Member
from astrio.tasks.difference import ChangedRow
from astrio.tasks.incremental import Window
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.options import RunOptions
from astrio.tasks.report import RunReport
from astrio.tasks.ties import Ties

Examples = Sequence[list[ChangedRow]]
"""For each destination the first changed rows of a dry run."""


def destination_of(
    integration: Integration, options: RunOptions, examples: Examples
) -> Destination:
    """Return where a run's records go, not yet connected.

    Raises:
        ConfigurationError: as `open_destination` and `open_dry_run`.
    """
    every = integration.push.all
    if len(every) == 1:
        return _one(integration, every[0], options, examples[0], apart=False)
    places = [destination_reference(push) for push in every]
    members: list[Member] = []
    for at, push in enumerate(every):
        alone = not takes_one_writer(push)
        members.append(
            Member(
                _one(
                    integration,
                    push,
                    options,
                    examples[at],
                    apart=places[at] in places[:at] and not alone,
                ),
                places[at],
                push.table,
                push.mode,
                staged=push.staged,
                takes_back=takes_back(push),
                vanishing=push.vanished.rows != "keep",
                shared=places.count(places[at]) > 1 and not alone,
                to=push.to.reference if isinstance(push.to, OtherTarget) else "",
            )
        )
    return FanOut(members, anew=options.full_refresh)


def _one(
    integration: Integration,
    push: PushSettings,
    options: RunOptions,
    examples: list[ChangedRow],
    *,
    apart: bool,
) -> Destination:
    how = (push, integration.name, integration.quarantine)
    return open_dry_run(*how, examples, apart=apart) if options.dry_run else open_destination(*how)


def with_examples(report: RunReport, examples: Examples) -> RunReport:
    """Return the report with the changed rows of a dry run, for whoever asked for it."""
    changed: dict[str, Any] = {}
    if report.difference is not None:
        shown = report.difference.model_copy(update={"examples": examples[0]})
        changed["difference"] = shown
    destinations = list(report.destinations)
    for at, each in enumerate(destinations):
        if each.difference is not None:
            shown = each.difference.model_copy(update={"examples": examples[at]})
            destinations[at] = each.model_copy(update={"difference": shown})
    return report.model_copy(update={**changed, "destinations": destinations})


def gating_of(
    incremental: IncrementalSettings,
    window: Window,
    planned: Any,
    *,
    goes_on: bool,
    watermark: Any,
) -> Gating:
    """Return what keeps several destinations from getting rows that they have.

    Args:
        incremental: has a cursor.
        window: the run's.
        planned: returns the window of a run from its watermark.
        goes_on: whether the run goes on from what was written before.
        watermark: that of the least advanced.
    """
    reader = CursorReader.of(incremental, window)
    assert reader is not None  # there is a cursor
    reader = replace(reader, start=None, missing="include")

    def gating(state: StreamState, before: dict[str, Any] | None) -> Gate:
        known, mark = (state.ties, state.watermark) if goes_on else ({}, None)
        ties = Ties(known, before, window.end, mark)
        ahead = mark is not None and mark != watermark
        return Gate(reader, ties, planned(state.watermark).start if ahead else None)

    return gating
