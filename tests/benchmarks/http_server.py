"""A fast API for benchmarks: any number of orders of about 687 bytes, made as they are asked for.

    python tests/benchmarks/http_server.py --records 1000000 --latency-ms 50

Prints its URL, then serves on loopback until it is stopped:

    GET /orders?limit=1000&cursor=…    or &offset=…, or &page=… (from 1 on)
    {"orders": […], "next_cursor": "2000", "has_more": true, "total": 1000000}

The last page has `"next_cursor": null`. Memory does not depend on the number of records: a page
is filled into templates of which there are a thousand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from astrio.deployments.demo.serving import Message, Receive, Send, serve

SIZE = 687
BLOCK = 1_000
"""Records that differ in more than their block's number and hour."""
START = datetime(2020, 1, 1, tzinfo=UTC)
NUMBER, HOUR = "#BLOCK#", "#-THE-HOUR-##"
"""Stand in the templates for a block's number and hour, with as many characters."""


def template(place: int) -> bytes:
    """Return the record at `place` of every block."""
    number = f"{NUMBER}{place:03}"
    order = {
        "id": "ID",
        "number": f"S-{number}",
        "created_at": "2019-06-01T08:30:00Z",
        "updated_at": f"{HOUR}:{place // 60:02}:{place % 60:02}Z",
        "cancelled_at": None if place % 16 else "2019-07-01T00:00:00Z",
        "fulfillment_status": ("shipped", None, "returned")[place % 3],
        "currency": ("EUR", "USD", "GBP", "SEK")[place % 4],
        "total_price": f"{10 + place % 900}.{place % 100:02}",
        "customer": {
            "first_name": ("Ada", "José", "Mei", "Noah", "Zoë")[place % 5],
            "last_name": ("Brandt", "O'Brien", "García", "Tanaka")[place % 4],
            "email": f"Buyer.{number}@example.com",
            "birth_date": f"{1950 + place % 50}-{1 + place % 12:02}-{1 + place % 28:02}",
            "phone": f"+49 30 {1_000_000 + place}" if place % 3 else None,
        },
        "shipping_address": {"city": "Malmö", "country_code": "se", "postcode": "211 20"},
        "line_items": [
            {"sku": f"SKU-{item:03}", "quantity": 1 + item % 3, "price": f"{5 + item}.50"}
            for item in range(1 + place % 3)
        ],
        "note": "",
    }
    text = json.dumps(order, ensure_ascii=False, separators=(",", ":"))
    text = text.replace('"ID"', f"5{number}")
    return text.replace('"note":""', f'"note":"{"x" * (SIZE - len(text.encode()))}"').encode()


class Orders:
    """The API as an ASGI app."""

    def __init__(self, records: int, latency: float) -> None:
        """Offer `records` orders, each page after `latency` seconds."""
        self.records = records
        self.latency = latency
        self.templates = [template(place) for place in range(BLOCK)]

    async def __call__(self, scope: Message, _: Receive, send: Send) -> None:
        """Answer one request (ASGI 3), whatever its path."""
        query = dict(parse_qsl(scope["query_string"].decode()))
        limit = int(query.get("limit", "1000"))
        start = int(query.get("cursor") or query.get("offset") or 0)
        start = (int(query["page"]) - 1) * limit if "page" in query else start
        if self.latency:
            await asyncio.sleep(self.latency)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.page(start, start + limit)})

    def page(self, start: int, stop: int) -> bytes:
        """Return the page of the orders from `start` to before `stop`."""
        stop = min(stop, self.records)
        more = stop < self.records
        tail = {"next_cursor": str(stop) if more else None, "has_more": more, "total": self.records}
        blocks = range(start // BLOCK, -(-stop // BLOCK))
        orders = b",".join(self.block(block, start, stop) for block in blocks)
        return b'{"orders":[' + orders + b"]," + json.dumps(tail)[1:].encode()

    def block(self, block: int, start: int, stop: int) -> bytes:
        """Return the part of a block that lies from `start` to before `stop`."""
        first = block * BLOCK
        orders = b",".join(self.templates[max(start - first, 0) : stop - first])
        hour = (START + timedelta(hours=block)).isoformat()[:13]
        return orders.replace(NUMBER.encode(), b"%07d" % block).replace(
            HOUR.encode(), hour.encode()
        )


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="http_server.py")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    options = parser.parse_args()
    serve(Orders(options.records, options.latency_ms / 1000), options.port)


if __name__ == "__main__":
    main()
