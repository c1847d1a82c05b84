"""Clients and readings against the loopback servers of `tests.support.server`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from astrio.blocks.api import RestApi
from astrio.tasks.batch import Page
from astrio.tasks.http.client import Answer, ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Paginator
from astrio.tasks.paginate.choice import AnyPaginator
from astrio.tasks.reading import ReadPlan, read_pages
from astrio.tasks.settings import RetrySettings

NOW = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
NO_RETRY = {"max_retries": 0}


GET = ApiRequest("GET", "/orders")
NUMBERED = {"type": "page_number"}
COUNTED = {"type": "page_number", "total": "total"}
TOKENS = {"type": "cursor", "param": "after", "next": "next"}
RECORDS = [{"id": number} for number in range(7)]


class Slept(list[float]):
    """Takes the place of sleeping, and remembers how long each sleep would have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(
    url: str,
    *,
    retry: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
    chance: float = 0.0,
    **api: Any,
) -> ApiClient:
    """Return a client that does not really sleep and whose jitter is `chance`."""
    return ApiClient(
        RestApi.model_validate({"base_url": url, **api}),
        retry=RetrySettings.model_validate(retry or {}),
        errors=errors,
        now=lambda: NOW,
        sleep=Slept() if sleep is None else sleep,
        random=lambda: chance,
    )


async def send(url: str, request: ApiRequest | None = None, **options: Any) -> Answer:
    """Send one request with a client of its own."""
    async with client(url, **options) as opened:
        return await opened.send(request or ApiRequest("GET", "/orders"), page=3)


async def read(url: str, plan: ReadPlan, **options: Any) -> list[Page]:
    """Read every page of a plan."""
    async with client(url, **options) as opened:
        return [page async for page in read_pages(opened, plan)]


def paginator(settings: Mapping[str, Any]) -> Paginator:
    """Read a paginator as the integration's file does."""
    made: Paginator = TypeAdapter(AnyPaginator).validate_python(settings)
    return made


def plan(settings: dict[str, Any] | None = None, **more: Any) -> ReadPlan:
    """Make a plan to read `/orders`, records under `items`."""
    made = paginator(settings or {"type": "none"})
    return ReadPlan(made.first(GET), made, **{"records": "items", **more})


def ids(pages: list[Page]) -> list[int]:
    """Return the IDs of all records, in order."""
    return [record["id"] for page in pages for record in page.records]
