"""The same load by dlt 1.31, in its best form and in its declarative form.

    pip install 'astrio[bench]'
    python -m tests.benchmarks.by_dlt arrow|rest_api API_URL DATABASE_URL TABLE

`arrow` is a resource of one's own that yields Arrow tables, so that dlt need not look at each row:
pages are decoded and mapped as by hand (tests/benchmarks/by_hand.py). `rest_api` is dlt's source
for an API that is described, the peer of an integration file, with the same mapping as its `map`
step. Both are tuned: the loader's file format for each database, large buffers, no nested tables,
telemetry off.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from tests.benchmarks.by_hand import TYPES, Row, decode, row

TUNING = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "EXTRACT__NEXT_ITEM_MODE": "fifo",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "true",
}
KINDS = {"BIGINT": "bigint", "DOUBLE PRECISION": "double", "TEXT": "text"}
COLUMNS = {
    name: {"data_type": KINDS[kind.removesuffix(" PRIMARY KEY")]} for name, kind in TYPES.items()
}


def arrow_pages(api: str, table: str) -> Any:
    """Return a resource of Arrow tables, one for each page."""
    dlt, pa = import_module("dlt"), import_module("pyarrow")
    types = {"bigint": pa.int64(), "double": pa.float64(), "text": pa.string()}
    schema = pa.schema([(name, types[each["data_type"]]) for name, each in COLUMNS.items()])

    @dlt.resource(name=table, write_disposition="merge", primary_key="order_id")
    def pages() -> Iterator[Any]:
        params = {"limit": "1000"}
        session = import_module("dlt.sources.helpers.requests").Client().session
        while True:
            page = decode(session.get(f"{api}/orders", params=params).content)
            columns = zip(*map(row, page.orders), strict=True)
            yield pa.table(dict(zip(TYPES, columns, strict=True)), schema=schema)
            if page.next_cursor is None:
                return
            params["cursor"] = page.next_cursor

    return pages


def mapped(order: dict[str, Any]) -> dict[str, Any]:
    """Map one record of the declarative form."""
    customer, address = order["customer"], order["shipping_address"]
    values: Row = (
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
    return dict(zip(TYPES, values, strict=True))


def described(api: str, table: str) -> Any:
    """Return dlt's own source for an API."""
    source = import_module("dlt.sources.rest_api").rest_api_source(
        {
            "client": {"base_url": api},
            "resources": [
                {
                    "name": table,
                    "primary_key": "order_id",
                    "write_disposition": "merge",
                    "columns": COLUMNS,
                    "max_table_nesting": 0,
                    "processing_steps": [{"map": mapped}],
                    "endpoint": {
                        "path": "orders",
                        "params": {"limit": 1000},
                        "data_selector": "orders",
                        "paginator": {
                            "type": "cursor",
                            "cursor_path": "next_cursor",
                            "cursor_param": "cursor",
                        },
                    },
                }
            ],
        }
    )
    source.max_table_nesting = 0
    return source


FORMATS = {
    ("arrow", True): "parquet",
    ("arrow", False): "csv",
    ("rest_api", True): "typed-jsonl",
    ("rest_api", False): "csv",
}
"""What loads quickest, by the form and whether the database is SQLite."""


def main() -> None:
    """Load once."""
    form, api, database, table = sys.argv[1:]
    os.environ |= TUNING
    dlt: Any = import_module("dlt")
    sqlite = database.startswith("sqlite:///")
    source = (arrow_pages if form == "arrow" else described)(api, table)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        kinds = dlt.destinations
        pipeline = dlt.pipeline(
            table,
            pipelines_dir=folder,
            destination=(kinds.sqlalchemy if sqlite else kinds.postgres)(database),
            dataset_name="main" if sqlite else "public",
        )
        pipeline.run(source, loader_file_format=FORMATS[form, sqlite]).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
