"""The pipeline that an engineer would write by hand: one file for one API and one table.

    python -m tests.benchmarks.by_hand aiohttp|httpx API_URL DATABASE_URL TABLE

It decodes only the fields that it needs into msgspec Structs, maps 12 of them in plain Python, and
upserts in chunks of 5,000 rows: by the driver's executemany into SQLite, by COPY into a temporary
table and one merge into PostgreSQL. It keeps no state, checks no record and accounts for nothing.
The pages come by aiohttp, the quickest client there is, or by httpx on aiohttp's transport, as
astrio's do.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct
from msgspec.json import Decoder

CHUNK = 5_000
TYPES = {
    "order_id": "BIGINT PRIMARY KEY",
    "number": "TEXT",
    "status": "TEXT",
    "full_name": "TEXT",
    "email": "TEXT",
    "birth_date": "TEXT",
    "city": "TEXT",
    "country": "TEXT",
    "currency": "TEXT",
    "total": "DOUBLE PRECISION",
    "items": "BIGINT",
    "updated_at": "TEXT",
}
COLUMNS = ", ".join(TYPES)
CHANGES = ", ".join(f"{name} = excluded.{name}" for name in list(TYPES)[1:])
OLD = ", ".join(f"old.{name}" for name in list(TYPES)[1:])
NEW = ", ".join(f"excluded.{name}" for name in list(TYPES)[1:])

Row = tuple[Any, ...]
Write = Callable[[list[Row]], object]
Get = Callable[[dict[str, str]], Awaitable[bytes]]


class Customer(Struct, gc=False):
    """The fields that are used of a customer."""

    first_name: str
    last_name: str
    email: str
    birth_date: str


class Address(Struct, gc=False):
    """The fields that are used of an address."""

    city: str
    country_code: str


class Item(Struct, gc=False):
    """A line, of which nothing is used but that it is there."""


class Order(Struct, gc=False):
    """The fields that are used of an order."""

    id: int
    number: str
    cancelled_at: str | None
    customer: Customer
    shipping_address: Address
    currency: str
    total_price: str
    line_items: list[Item]
    updated_at: str


class Page(Struct, gc=False):
    """A page of orders."""

    orders: list[Order]
    next_cursor: str | None


decode = Decoder(Page).decode


def row(order: Order) -> Row:
    """Map one record."""
    customer, address = order.customer, order.shipping_address
    return (
        order.id,
        order.number,
        "cancelled" if order.cancelled_at else "open",
        f"{customer.first_name} {customer.last_name}",
        customer.email.lower(),
        customer.birth_date,
        address.city,
        address.country_code.upper(),
        order.currency,
        float(order.total_price),
        len(order.line_items),
        order.updated_at,
    )


@asynccontextmanager
async def by_aiohttp(url: str) -> AsyncIterator[Get]:
    """Open a session that gets pages by aiohttp."""
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def get(params: dict[str, str]) -> bytes:
            async with session.get(url, params=params) as answer:
                answer.raise_for_status()
                return await answer.read()

        yield get


@asynccontextmanager
async def by_httpx(url: str) -> AsyncIterator[Get]:
    """Open a session that gets pages by httpx on aiohttp's transport."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=60) as client:

        async def get(params: dict[str, str]) -> bytes:
            answer = await client.get(url, params=params)
            return answer.raise_for_status().content

        yield get


async def sync(client: str, api: str, write: Write) -> int:
    """Read every page, map it and write it; return how many records there were."""
    count, rows = 0, list[Row]()
    params = {"limit": "1000"}
    async with (by_httpx if client == "httpx" else by_aiohttp)(f"{api}/orders") as get:
        while True:
            page = decode(await get(params))
            rows += map(row, page.orders)
            count += len(page.orders)
            if len(rows) >= CHUNK:
                await asyncio.to_thread(write, rows)
                rows = []
            if page.next_cursor is None:
                break
            params["cursor"] = page.next_cursor
    if rows:
        await asyncio.to_thread(write, rows)
    return count


def into_sqlite(file: str, table: str) -> Write:
    """Return what upserts rows into SQLite."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    declared = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
    statement = (
        f"INSERT INTO {table} AS old VALUES ({', '.join('?' * len(TYPES))}) "
        f"ON CONFLICT (order_id) DO UPDATE SET {CHANGES} WHERE ({OLD}) IS NOT ({NEW})"
    )

    def write(rows: list[Row]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")

    return write


def into_postgresql(url: str, table: str) -> Write:
    """Return what upserts rows into PostgreSQL."""
    import psycopg

    connection = psycopg.connect(url)
    declared = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    run: Callable[[str], object] = lambda sql: connection.execute(sql.encode())  # noqa: E731
    run(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
    run(f"CREATE TEMPORARY TABLE load AS SELECT * FROM {table} WITH NO DATA")
    connection.commit()

    def write(rows: list[Row]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE load")
            with cursor.copy(f"COPY load ({COLUMNS}) FROM STDIN".encode()) as copy:
                for each in rows:
                    copy.write_row(each)
            cursor.execute(
                f"INSERT INTO {table} AS old SELECT * FROM load ON CONFLICT (order_id) DO UPDATE "
                f"SET {CHANGES} WHERE ({OLD}) IS DISTINCT FROM ({NEW})".encode()
            )

    return write


def main() -> None:
    """Run the pipeline once."""
    client, api, database, table = sys.argv[1:]
    file = database.removeprefix("sqlite:///")
    write = into_sqlite(file, table) if file != database else into_postgresql(database, table)
    print(asyncio.run(sync(client, api, write)))


if __name__ == "__main__":
    main()
