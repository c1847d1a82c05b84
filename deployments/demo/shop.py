"""A small shop with a REST API on loopback, as moody as real ones.

    python -m astrio.deployments.demo.shop --port 8000 --seed 7

    GET  /orders?limit=250&cursor=…&updated_at_min=…   {"orders": […], "next_cursor": …, "total": n}
    GET  /health                                       {"status": "ok"}
    POST /admin/advance                                time passes: 37 orders change
    GET  /admin/valid-orders                           {"rows": […], "invalid": [ids]}: the oracle
    POST /admin/notify?url=…&count=20&forged=          webhooks about orders: {"statuses": […]}

A request for orders carries `X-Shop-Token: demo-token`. Orders come by the time of their last
change; a page holds 250 at most. Now and then `/orders` answers 429 with `Retry-After: 1`,
or 500; asked once or twice more, it obliges. It shares no code with the client that it tries.
"""

from __future__ import annotations

import argparse
import base64
import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from astrio.deployments.demo.notifying import notify
from astrio.deployments.demo.oracle import expected_row, expected_rows
from astrio.deployments.demo.orders import change, dice_of, iso, make_orders, start_of
from astrio.deployments.demo.serving import Message, Receive, Send, serve

TOKEN = b"demo-token"
LARGEST_PAGE = 250
CHANGES = 37
FAULTS = {5: 429, 13: 500}
FAULTS_AFTER_ADVANCE = {1: 429, 2: 500}
"""Which requests for orders fail, counted from the start or the last advance."""
FAULT_CYCLE = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a JSON body."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The request cannot be served."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = Answer(
            {"error": {"status": status, "message": message}}, status, headers or {}
        )


class Shop:
    """The shop as an ASGI app; all state is in memory and follows from seed, day and requests."""

    def __init__(self, seed: int = 7, today: date | None = None) -> None:
        """Open the shop; `today` is the current day in UTC unless given."""
        self.today = today or datetime.now(UTC).date()
        self._seed = seed
        self._orders = {order["id"]: order for order in make_orders(seed, self.today)}
        self._advances = 0
        self._asked = 0
        self._faults = FAULTS
        self._sort()
        self._routes = {
            "/orders": ("GET", self._list_orders),
            "/health": ("GET", lambda _: {"status": "ok"}),
            "/admin/advance": ("POST", self._advance),
            "/admin/valid-orders": ("GET", self._valid_orders),
            "/admin/notify": ("POST", self._notify),
        }

    async def __call__(self, scope: Message, _: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        try:
            answer = Answer(self._route(scope))
        except RefusedError as refusal:
            answer = refusal.answer
        headers = {"content-type": "application/json", **answer.headers}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        body = json.dumps(answer.body, ensure_ascii=False).encode()
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    def _route(self, scope: Message) -> Any:
        method, handler = self._routes.get(scope["path"], ("", None))
        if handler is None:
            raise RefusedError(404, "There is nothing here.")
        if scope["method"] != method:
            raise RefusedError(405, f"Use {method}.", {"allow": method})
        if scope["path"] == "/orders" and dict(scope["headers"]).get(b"x-shop-token") != TOKEN:
            raise RefusedError(401, "The header X-Shop-Token is missing or wrong.")
        return handler(dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))

    def _list_orders(self, query: Mapping[str, str]) -> Any:
        self._fail_now_and_then()
        since = query.get("updated_at_min", "")
        first = bisect_left(self._by_change, (_moment(since), 0)) if since else 0
        start = first
        if "cursor" in query:
            start = bisect_left(self._by_change, _read_cursor(query["cursor"], since))
        stop = start + _page_size(query.get("limit", "50"))
        following = self._by_change[stop : stop + 1]
        return {
            "orders": [self._orders[order_id] for _, order_id in self._by_change[start:stop]],
            "next_cursor": _write_cursor(following[0], since) if following else None,
            "total": len(self._by_change) - first,
        }

    def _fail_now_and_then(self) -> None:
        self._asked += 1
        status = self._faults.get(self._asked % FAULT_CYCLE)
        if status == 429:
            raise RefusedError(status, "Too many requests; take a breath.", {"retry-after": "1"})
        if status:
            raise RefusedError(status, "Something broke in the stock room.")

    def _advance(self, _: Mapping[str, str]) -> Any:
        """Change 37 valid orders, later than any change before and earlier than now."""
        self._advances += 1
        valid = [order for order in self._orders.values() if expected_row(order, self.today)]
        changed = dice_of(f"{self._seed}/{self._advances}").sample(valid, CHANGES)
        since_midnight = timedelta(minutes=self._advances - 60)
        change(changed, start_of(self.today) + since_midnight)
        self._sort()
        self._asked, self._faults = 0, FAULTS_AFTER_ADVANCE
        return {"changed": sorted(order["id"] for order in changed)}

    def _valid_orders(self, _: Mapping[str, str]) -> Any:
        rows = expected_rows(self._orders.values(), self.today)
        valid = {row["order_id"] for row in rows}
        return {"rows": rows, "invalid": [each for each in self._orders if each not in valid]}

    def _notify(self, query: Mapping[str, str]) -> Any:
        """Send a webhook about each of the orders that were changed last."""
        latest = [self._orders[order] for _, order in self._by_change[-int(query["count"]) :]]
        return {"statuses": [*notify(query["url"], latest, forged=bool(query.get("forged")))]}

    def _sort(self) -> None:
        self._by_change = sorted(
            (_moment(order["updated_at"]), order["id"]) for order in self._orders.values()
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RefusedError(400, "A time looks like 2026-01-31T12:00:00Z.")
    return moment


def _page_size(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise RefusedError(400, "limit is a whole number from 1 on.")
    return min(int(text), LARGEST_PAGE)


def _write_cursor(position: tuple[datetime, int], since: str) -> str:
    moment, order_id = position
    return base64.urlsafe_b64encode(json.dumps([iso(moment), order_id, since]).encode()).decode()


def _read_cursor(text: str, since: str) -> tuple[datetime, int]:
    try:
        moment, order_id, written_for = json.loads(base64.urlsafe_b64decode(text))
        order_id = int(order_id)
    except (TypeError, ValueError):
        raise RefusedError(400, "This cursor is not one of ours.") from None
    if written_for != since:
        raise RefusedError(400, "This cursor belongs to another updated_at_min.")
    return _moment(moment), order_id


def main() -> None:
    """Run the shop until it is told to stop, or its parent process ends."""
    parser = argparse.ArgumentParser(prog="python -m astrio.deployments.demo.shop")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--seed", type=int, default=7, help="other seeds, other orders")
    options = parser.parse_args()
    serve(Shop(options.seed), options.port)


if __name__ == "__main__":
    main()
