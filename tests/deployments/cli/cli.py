"""Calling the command line in this process, and a shop to call it on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.server import Handler, Server, serve
from typer.testing import CliRunner, Result

from astrio.deployments.cli import app

SHOP = """\
name: shop
source:
  api: {{base_url: "{url}"}}
  request: {{path: /orders}}
  records: $.orders
map:
  order_id: id
  customer.email: lower(customer.email)
  customer.age: int(customer.age)
validate:
  - {{field: customer.email, type: email, required: true}}
push: {{to: {{url: "sqlite:///shop.db"}}, table: orders, mode: upsert, key: [order_id]}}
retry: {{max_retries: 0}}
"""

ORDERS = [
    {"id": 1, "customer": {"email": "ADA@EXAMPLE.COM", "age": "36"}, "tags": ["a"], "paid": True},
    {"id": 2, "customer": {"email": "ben(at)example", "age": "17"}, "tags": [], "paid": False},
    {"id": 3, "customer": {"email": "cy@example.com", "age": "old"}, "tags": [], "paid": False},
]


def call(*words: str) -> Result:
    """Call `astrio` with these words."""
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(app, words, prog_name="astrio")


def called(*words: str) -> Any:
    """Call `astrio` with these words and `--json`, and return the only JSON it printed."""
    result = call(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@contextmanager
def shop(folder: Path, orders: Handler | None = None) -> Iterator[Server]:
    """Serve a shop, with its integration in `folder` as `shop.yaml`."""
    with serve({"/orders": orders or (lambda _: {"orders": ORDERS})}) as server:
        (folder / "shop.yaml").write_text(SHOP.format(url=server.url), encoding="utf-8")
        yield server
