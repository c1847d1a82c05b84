"""CPU of astrio's HTTP client for a page, to that of bare httpx on the same aiohttp transport.

Run: python -m tests.benchmarks.client [PAGES]

Both ask for pages of 1,000 records (about 687 kB) one after the other and take the body's bytes;
what is compared is the client, so nothing is decoded. Rounds alternate; the medians count.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import httpx
from httpx_aiohttp import AiohttpTransport

from astrio.blocks.api import RestApi
from astrio.deployments.demo.process import running
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest

ROUNDS = 7
PAGE = 1_000


async def bare(url: str, pages: int) -> float:
    """Return the CPU seconds that httpx takes for so many pages."""
    async with httpx.AsyncClient(transport=AiohttpTransport()) as client:
        await client.get(f"{url}/orders", params={"limit": PAGE})
        began = time.process_time()
        for page in range(pages):
            answer = await client.get(f"{url}/orders", params={"limit": PAGE, "page": page + 1})
            assert len(answer.content) > PAGE
        return time.process_time() - began


async def ours(url: str, pages: int) -> float:
    """Return the CPU seconds that astrio's client takes for them."""
    async with ApiClient(RestApi(base_url=url)) as client:
        await client.send(ApiRequest("GET", "/orders", params={"limit": PAGE}))
        began = time.process_time()
        for page in range(pages):
            request = ApiRequest("GET", "/orders", params={"limit": PAGE, "page": page + 1})
            answer = await client.send(request)
            assert len(answer.content) > PAGE
        return time.process_time() - began


def main(pages: int) -> None:
    """Measure, and print the ratio."""
    with running("-m", "tests.benchmarks.http_server", "--records", str(pages * PAGE)) as url:
        times = [
            (asyncio.run(bare(url, pages)), asyncio.run(ours(url, pages))) for _ in range(ROUNDS)
        ]
    httpx_ms, astrio_ms = (
        1000 * statistics.median(column) / pages for column in zip(*times, strict=True)
    )
    print(f"httpx {httpx_ms:.2f} ms a page, astrio {astrio_ms:.2f} ms: {astrio_ms / httpx_ms:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
