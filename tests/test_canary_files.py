"""Secrets of an S3 destination are found in nothing that a run leaves behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from tests.support.command import Ended, begin, ended
from tests.support.s3 import Bucket
from tests.support.server import answer, serve
from tests.test_canary import found

SECRET, TOKEN, LITERAL = CANARIES = (
    "s3s-cAnary+3e/7=Ab%c&1",
    "s3t-cAnary+4f/8=De%f&2",
    "s3l-cAnary+5a/9=Gh%i&3",
)
VARIABLES = {"CANARY_S3": SECRET, "CANARY_TOKEN": TOKEN}
REFERENCES = {"secret_access_key": "${env:CANARY_S3}", "session_token": "${env:CANARY_TOKEN}"}
CODES = {"literal": 0, "refused": 1}


def document(name: str, url: str, bucket: Bucket, store: str) -> dict[str, Any]:
    s3 = bucket.to(key=f"{name}.jsonl", endpoint_url=store)
    s3 |= {"secret_access_key": LITERAL} if name == "literal" else REFERENCES
    return {
        "name": f"canary-s3-{name}",
        "source": {"api": {"base_url": url}, "request": {"path": "/"}},
        "push": {"to": {"s3": s3}},
    }


def chatty(request: web.Request) -> Any:
    """Answer with every secret that came along, and with those that did not."""
    told = f"{dict(request.headers)} {SECRET} {TOKEN} aws_secret_access_key={SECRET}"
    told = told.replace("&", "&amp;").replace("<", "&lt;")
    text = f"<Error><Code>Odd</Code><Message>{told}</Message></Error>"
    return answer(text.encode(), 400, {"Content-Type": "application/xml"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canary-files")


def test_no_secret_of_s3_is_left_anywhere(folder: Path, prefect_api: str, bucket: Bucket) -> None:
    environment = VARIABLES | {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": None,
    }
    runs: dict[str, Ended] = {}
    with serve(lambda _: [{"id": 1}]) as api, serve(chatty) as store:
        for name, code in CODES.items():
            url = bucket.url if code == 0 else store.url
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump(document(name, api.url, bucket, url)))
            words = ("run", str(file), "--verbose", "--debug")
            runs[name] = ended(begin(*words, folder=folder, environment=environment))
        assert TOKEN in str([each.headers for each in store.requests])
    assert {name: run.code for name, run in runs.items()} == CODES, runs
    assert bucket.names() == ["literal.jsonl"]
    for run in runs.values():
        assert found(run.out.encode(), *CANARIES) == []
        assert found(run.err.encode(), *CANARIES) == []
    for file in (*Path(os.environ["ASTRIO_HOME"]).rglob("*"), *folder.rglob("*")):
        if file.is_file() and file.suffix != ".yaml":
            assert found(file.read_bytes(), *CANARIES) == [], f"in {file}"
