"""Every block of docs/push-files.md is checked and run, and the files hold what the page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from tests.flows.running import run
from tests.support.s3 import KEYS, Bucket
from tests.support.server import serve
from tests.tasks.destinations.files.writing import files

from astrio.flows.integration import Integration
from astrio.flows.reading.read import check_file, read_integration
from astrio.tasks.destinations.files.naming import KNOWN
from astrio.tasks.destinations.files.s3_settings import S3Settings
from astrio.tasks.destinations.files.target import FilesTarget

PAGE = (Path(__file__).parents[2] / "docs" / "push-files.md").read_text("utf-8")
ONE, LAKE, BUCKET = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
[LINES] = re.findall(r"```json\n(.*?)```", PAGE, re.S)
[CELLS] = re.findall(r"```csv\n(.*?)```", PAGE, re.S)
ORDERS: list[dict[str, Any]] = [
    {"id": 1, "customer": "Ada", "total": "12.50", "tags": ["new"], "updated_at": "2026-01-01"},
    {"id": 2, "customer": "Ben", "total": "3.00", "tags": [], "updated_at": "2026-01-02"},
]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> Integration:
    file = Path("orders.yaml")
    file.write_text(text, encoding="utf-8")
    assert check_file(file) == []
    return read_integration(file).integration


def test_the_first_file_makes_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda _: {"orders": ORDERS}) as api:
        monkeypatch.setenv("SHOP_URL", api.url)
        run(loaded(ONE))
        run(loaded(ONE.replace(".jsonl", ".csv")))
    assert Path("out/orders.jsonl").read_text("utf-8") == LINES
    assert Path("out/orders.csv").read_bytes() == CELLS.replace("\n", "\r\n").encode()


def test_the_lake_gets_a_file_of_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = list(ORDERS)

    def since(request: web.Request) -> Any:
        start = request.query.get("since", "")
        return {"orders": [each for each in orders if each["updated_at"] >= start]}

    with serve(since) as api:
        monkeypatch.setenv("SHOP_URL", api.url)
        plan = loaded(LAKE)
        run(plan)
        run(plan)
        orders.append({"id": 3, "updated_at": "2026-01-03"})
        report = run(plan)
    assert report.records.written == 1
    assert len(files(Path("out"))) == 2


def test_the_bucket_gets_an_object(monkeypatch: pytest.MonkeyPatch, bucket: Bucket) -> None:
    monkeypatch.setenv("LAKE_KEY_ID", KEYS["access_key_id"])
    monkeypatch.setenv("LAKE_SECRET", KEYS["secret_access_key"])
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    with serve(lambda _: {"orders": ORDERS}) as api:
        monkeypatch.setenv("SHOP_URL", api.url)
        run(
            loaded(BUCKET.replace("bucket: lake", f"bucket: {bucket.name}\n      path_style: true"))
        )
    [name] = bucket.names()
    assert re.fullmatch(r"orders/[\d-]{10}/\d{8}T\d{6}Z-\w{32}\.parquet", name)


@pytest.mark.parametrize(
    ("name", "mode"), re.findall(r"^\| `(out/[^`]*)` \| `(\w+)` \|", PAGE, re.M)
)
def test_the_mode_is_told_by_the_name(name: str, mode: str) -> None:
    document = yaml.safe_load(ONE) | {"push": {"to": {"file": name}}}
    assert Integration.model_validate(document).push.mode == mode


def test_every_key_and_every_placeholder_is_named() -> None:
    keys = [*FilesTarget.model_fields, *S3Settings.model_fields]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []
    assert [each for each in KNOWN if f"`{{{{{each}}}}}`" not in PAGE] == []
