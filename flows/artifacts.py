"""What a run leaves in the Prefect UI: its progress while running, its report afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    aupdate_progress_artifact,
)

from astrio.flows.summary import headline, markdown
from astrio.tasks.progress import Progress, watching
from astrio.tasks.report import RunReport

FIRST_SECONDS = 1.0
UPDATE_SECONDS = 5.0


@asynccontextmanager
async def progress_artifact(name: str) -> AsyncIterator[None]:
    """Keep a progress artifact up to date within the block.

    It appears after a second, so that short runs do not pay for it.
    """
    seen: list[Progress] = []
    updates = asyncio.create_task(_update(name, seen))
    try:
        with watching(lambda news: _keep_latest(news, seen)):
            yield
    finally:
        updates.cancel()
        await asyncio.gather(updates, return_exceptions=True)


def _keep_latest(news: Progress | RunReport, seen: list[Progress]) -> None:
    if isinstance(news, Progress):
        seen[:] = [news]


async def _update(name: str, seen: list[Progress]) -> None:
    await asyncio.sleep(FIRST_SECONDS)
    artifact = await acreate_progress_artifact(
        _percent(seen), key=artifact_key(name, "progress"), description=_sentence(seen)
    )
    assert isinstance(artifact, UUID)
    try:
        while True:
            await asyncio.sleep(UPDATE_SECONDS)
            await aupdate_progress_artifact(artifact, _percent(seen), description=_sentence(seen))
    finally:
        await asyncio.shield(
            aupdate_progress_artifact(artifact, 100.0, description=_sentence(seen))
        )


def _percent(seen: list[Progress]) -> float:
    if seen and seen[0].parts is not None:
        ended, parts = seen[0].parts
        return min(99.0, 100.0 * ended / max(parts, 1))
    if not seen or not seen[0].claimed:
        return 0.0
    return min(99.0, 100.0 * seen[0].fetched / seen[0].claimed)


def _sentence(seen: list[Progress]) -> str:
    if not seen:
        return "Waiting for the first page."
    now = seen[0]
    if now.parts is not None:
        ended, parts = now.parts
        return f"{ended:,} of {parts:,} parts, {now.fetched:,} records, {now.rejected:,} rejected"
    of = f" of {now.claimed:,}" if now.claimed is not None else ""
    return f"{now.fetched:,}{of} records in {now.pages:,} pages, {now.rejected:,} rejected"


async def report_artifact(report: RunReport, earlier: Sequence[Mapping[str, Any]] = ()) -> None:
    """Keep the report as a Markdown artifact, with the runs before it for comparison.

    Args:
        report: this run's.
        earlier: the reports of earlier runs, newest first, each with its `started_at`.
    """
    await acreate_markdown_artifact(
        markdown(report, earlier),
        key=artifact_key(report.integration, "report"),
        description=headline(report),
    )


def artifact_key(name: str, kind: str) -> str:
    """Return the key of an integration's artifact: Prefect allows letters, digits and dashes.

    Names that differ only in what is not allowed have different keys.
    """
    key = name.replace("_", "-").strip("-")
    if key != name:
        key = f"{key}-{sha256(name.encode()).hexdigest()[:6]}".lstrip("-")
    return f"{key}-{kind}"
