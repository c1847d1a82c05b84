"""What a backfill reads: checked against the file, and cut into chunks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.partitioning import partitions_of
from astrio.flows.partitions import as_partition, refuse_partitions
from astrio.tasks.chunks import chunks
from astrio.tasks.cursors import like, parse_cursor
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.destinations.targets.webhook import WebhookDestination
from astrio.tasks.incremental import Window, plan_window
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.options import BackfillOptions, PartOptions

USUAL_CHUNK = "1d"
_WOULD = {
    "history": "would make what is old the newest version",
    "append": "would add rows again that are there already",
    "replace": "would leave only its range in the table",
}


def chunks_of(
    integration: Integration, options: BackfillOptions, now: datetime, watermark: Any = None
) -> list[PartOptions]:
    """Return the chunks of a backfill, oldest first, each as the options of its run.

    Args:
        integration: what to read.
        options: the range, and how it is cut.
        now: where the range ends if it names no end.
        watermark: of the live stream: it tells how the source writes its cursor.

    Raises:
        ConfigurationError: the integration cannot be backfilled, or not in this way.
    """
    settings = refuse(integration, options)
    since = options.since if options.since is not None else settings.start
    if since is None:
        raise ConfigurationError(
            "A backfill needs a beginning: neither --since nor incremental.start is given.",
            advice="Give e.g. --since 2024-01-01.",
        )
    whole = plan_window(settings, watermark, now, since=str(since), until=options.until)
    if not integration.push.version:
        whole = _until_now(whole, now)
    windows = _cut(integration, whole, options.chunk)
    return [
        PartOptions(
            since=str(window.start),
            until=str(window.end),
            partition=partition,
            backfill=True,
            columns=options.columns,
            again=options.again,
            wait=True,
        )
        for partition in _partitions(integration, options, now)
        for window in windows
    ]


def _until_now(whole: Window, now: datetime) -> Window:
    """Return the range without what lies ahead: there, rows may still change while it is read."""
    end, at = parse_cursor(whole.end).as_time(), parse_cursor(now.isoformat())
    begins = parse_cursor(whole.start).as_time()
    if end is None or begins is None or not begins < at < end:
        return whole
    dated = len(str(whole.end).strip()) == len("2000-01-01") and not str(whole.end).isdecimal()
    return replace(whole, end=like(at, "2000-01-01T00:00:00Z" if dated else whole.end))


def _partitions(
    integration: Integration, options: BackfillOptions, now: datetime
) -> list[str] | list[None]:
    """Return the names of the partitions to read; a None alone: there are none."""
    if integration.partitions is not None:
        refuse_partitions(integration)
        if options.partition is None:
            return list(partitions_of(integration.partitions, now))
    if options.partition is None:
        return [None]
    as_partition(integration, options.partition, now)
    return [options.partition]


def refuse(integration: Integration, options: BackfillOptions) -> IncrementalSettings:
    """Return `source.incremental` of an integration that can be backfilled.

    Raises:
        ConfigurationError: it cannot.
    """
    name, incremental, push = integration.name, integration.source.incremental, integration.push
    if incremental is None or incremental.cursor is None:
        raise ConfigurationError(
            f"{name} cannot be asked for a range: a backfill needs source.incremental with a "
            "cursor.",
            advice="`astrio run --full-refresh` reads everything again.",
        )
    if len(push.all) > 1 or not isinstance(push.to, str | SqlTarget | WebhookDestination):
        raise ConfigurationError(
            f"{name} is not pushed to one SQL database, and a backfill needs one, where rows are "
            "told apart by their keys.",
            advice="`astrio run --since … --until …` reads a range in one run.",
        )
    if push.mode != "upsert":
        raise ConfigurationError(
            f"{name} has `mode: {push.mode}`, and a backfill {_WOULD[push.mode]}.",
            advice="Use `mode: upsert` with a key.",
        )
    _refuse_columns(integration, options.columns)
    return incremental


def _refuse_columns(integration: Integration, columns: tuple[str, ...]) -> None:
    if not columns:
        return
    push, fields = integration.push, integration.map
    if isinstance(push.to, WebhookDestination):
        raise ConfigurationError("--columns needs a table, and events have none.")
    unknown = [] if fields is None else [each for each in columns if each not in fields]
    if unknown:
        raise ConfigurationError(
            f"--columns names what `map` does not have: {', '.join(unknown)}.",
            advice=f"It has: {', '.join(fields or ())}.",
        )
    if lists := [each for each in columns if each in push.children]:
        raise ConfigurationError(
            f"--columns names what is no column: {', '.join(lists)} (push.children).",
            advice="Backfill whole rows: leave --columns out.",
        )
    if keys := [each for each in columns if each in push.key]:
        raise ConfigurationError(
            f"--columns names the key: {', '.join(keys)}.", advice="Rows are found by it."
        )


def _cut(integration: Integration, whole: Window, width: str | None) -> list[Window]:
    """Cut the range, if the source can be asked for a part of it, and not be read whole for it."""
    incremental = integration.source.incremental
    assert incremental is not None
    bounded = None not in (incremental.param, incremental.end_param)
    if integration.source.python is None and not bounded:
        if width is not None:
            raise ConfigurationError(
                "--chunk needs incremental.param and incremental.end_param: without them, the "
                "source would be read to its end for each chunk.",
                advice="Give them if the API has such parameters; else leave --chunk out.",
            )
        return [whole]
    counts = parse_cursor(whole.start).moment is None
    if width is None and counts:
        return [whole]
    return [replace(each) for each in chunks(whole, width or USUAL_CHUNK)]
