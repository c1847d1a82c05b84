"""The pipeline that an engineer would write by hand: one file for one API and one table.

    python -m tests.benchmarks.by_hand API_URL DATABASE_URL TABLE

It uses what astrio uses (httpx on aiohttp's transport, msgspec, sqlite3 or psycopg with COPY),
maps 12 fields in plain Python, and upserts in chunks of 5,000 rows. It keeps no state, checks no
record and accounts for nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

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


def row(order: dict[str, Any]) -> Row:
    """Map one record."""
    customer, address = order["customer"], order["shipping_address"]
    return (
        order["id"],
        order["number"],
        "cancelled" if order["cancelled_at"] else "open",
        f"{customer['first_name']} {customer['last_name']}",
        customer["email"].lower(),
        customer["birth_date"],
        address["city"],
        address["country_code"].upper(),
        order["currency"],
        float(order["total_price"]),
        len(order["line_items"]),
        order["updated_at"],
    )


async def sync(api: str, write: Write) -> int:
    """Read every page, map it and write it; return how many records there were."""
    count, rows = 0, []
    params = {"limit": "1000"}
    async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=60) as client:
        while True:
            answer = await client.get(f"{api}/orders", params=params)
            answer.raise_for_status()
            page = msgspec.json.decode(answer.content)
            rows += [row(order) for order in page["orders"]]
            count += len(page["orders"])
            if len(rows) >= CHUNK:
                await asyncio.to_thread(write, rows)
                rows = []
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
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
    api, database, table = sys.argv[1:]
    file = database.removeprefix("sqlite:///")
    write = into_sqlite(file, table) if file != database else into_postgresql(database, table)
    print(asyncio.run(sync(api, write)))


if __name__ == "__main__":
    main()
