"""Show the first records: source, mapped values and rules side by side; nothing is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from astrio.blocks.errors import AstrioError
from astrio.deployments.cli.files import address, find_integration, load
from astrio.deployments.cli.output import print_json, say, show, tell, waiting
from astrio.deployments.cli.previewing import changes_table, entry, record_table, summary
from astrio.flows.comparing import changes
from astrio.flows.integration import Integration
from astrio.flows.last_mapping import last_mapping
from astrio.flows.sampling import Sample, judge, read_sample
from astrio.tasks.mapping.context import MappingContext

app = typer.Typer()
_POLL_SECONDS = 0.1


@app.command()
def preview(
    file: Annotated[str, typer.Argument(help="Integration file, or the name of one.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many records.")] = 5,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again after every save, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; with --watch one on each line.")
    ] = False,
) -> None:
    """Show the first records: source, mapped values and rules side by side; nothing is written.

    Where the mapping or the rules are not those of the last run from this machine, what changed
    is shown too. With --watch the API is asked again only when the file's source has changed.
    """
    if watch:
        _watch(file, limit, as_json=as_json)
        return
    integration = load(file)
    _present(integration, _asked(integration, limit), as_json=as_json)


def _asked(integration: Integration, limit: int) -> Sample:
    with waiting(f"Asking {address(integration)} …"):
        return asyncio.run(read_sample(integration, limit))


def _present(
    integration: Integration, sample: Sample, *, as_json: bool, line: bool = False
) -> None:
    sample = replace(sample)  # judging counts in it
    records = judge(integration, sample)
    last, context = last_mapping(integration), MappingContext(sample.started)
    changed = None if last is None else changes(integration, last, records, context)
    if as_json:
        print_json(entry(integration, sample, records, changed), line=line)
        return
    for number, record in enumerate(records, start=1):
        show(record_table(integration, number, record))
    if changed is not None:
        show(changes_table(changed))
    show(summary(sample, records))


def _watch(file: str, limit: int, *, as_json: bool) -> None:
    """Show the sample after each save, and what is wrong with the file where it cannot be read."""
    path = find_integration(file)
    asked: tuple[Integration, Sample] | None = None
    for _ in saves(path):
        try:
            integration = load(str(path))
            if asked is None or _source(asked[0]) != _source(integration):
                asked = None
                asked = integration, _asked(integration, limit)
            _present(integration, asked[1], as_json=as_json, line=True)
        except AstrioError as error:
            tell(error, as_json=as_json)
        say(f"Watching {path}; Ctrl-C ends it.")


def _source(integration: Integration) -> object:
    return integration.source, integration.vars, integration.retry


def saves(path: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Yield once, then after each save of a file, when it has come to rest.

    An editor may empty the file before it writes it, or take it away for a moment.
    """
    seen = before = None
    while True:
        now = _stamp(path)
        if now is not None and now != seen and (now == before or seen is None):
            seen = now
            yield
        else:
            before = now
            sleep(_POLL_SECONDS)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
