"""Secrets in every place where one can be given are found in nothing that a run leaves behind."""

from __future__ import annotations

import base64
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from aiohttp import web
from tests.support.command import Ended, begin, ended, eventually
from tests.support.server import answer, serve, serve_raw, unused_url

HEADER, QUERY, BEARER, LITERAL, LITERAL_HEADER = CANARIES = (
    "hdr-cAnary+7f/9=Zq%x&1",
    "qry-cAnary+8a/2=Kp%y&2",
    "brr-cAnary+9b/4=Lw%z&3",
    "lit-cAnary+1c/5=Mv%u&4",
    "hlt-cAnary+2d/6=Nt%t&5",
)
VARIABLES = {"CANARY_HEADER": HEADER, "CANARY_QUERY": QUERY, "CANARY_BEARER": BEARER}
AUTHS: dict[str, dict[str, Any]] = {
    "well": {"type": "api_key", "header": "X-Shop", "value": "${env:CANARY_HEADER}"},
    "unauthorised": {"type": "bearer", "token": "${env:CANARY_BEARER}"},
    "unreachable": {"type": "api_key", "query": "auth", "value": LITERAL},
    "broken": {"type": "api_key", "query": "auth", "value": "${env:CANARY_QUERY}"},
    "garbled": {"type": "bearer", "token": LITERAL},
}
FLAGS = {
    "well": ("--json", "--verbose", "--debug"),
    "unauthorised": ("--json", "--verbose", "--debug"),
    "unreachable": ("--verbose", "--debug"),
    "broken": ("--json", "--debug"),
    "garbled": ("--verbose",),
}
CODES = {"well": 0, "unauthorised": 1, "unreachable": 1, "broken": 1, "garbled": 1}


def forms(secret: str) -> set[bytes]:
    """Return how the secret may be written; of base64 also what lies inside a longer text."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
    texts |= {text.replace("&", "&amp;") for text in texts}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            texts.add(encode(b"\0" * offset + secret.encode()).decode()[4:-4])
    texts.add(secret[:14])
    return {text.encode() for text in texts} | {secret.encode("utf-16-le")}


def document(name: str, url: str, folder: Path) -> dict[str, Any]:
    """Return an integration that carries all canaries, each where its like is found."""
    headers = {"X-Key": "${env:CANARY_HEADER}", "X-Auth-Token": LITERAL_HEADER}
    if AUTHS[name]["type"] != "bearer":
        headers["Authorization"] = "Bearer ${env:CANARY_BEARER}"
    return {
        "name": f"canary-{name}",
        "source": {
            "api": {"base_url": url, "auth": AUTHS[name], "headers": headers},
            "request": {"path": f"/{name}", "params": {"k": "${env:CANARY_QUERY}"}},
            "records": "$.items",
            "paginate": {"type": "next_url", "next": "$.next"},
        },
        "map": {"id": "id"},
        "push": {
            "to": {"url": f"sqlite:///{folder / (name + '.db')}"},
            "table": "items",
            "mode": "upsert",
            "key": ["id"],
        },
        "retry": {"max_retries": 1, "retry_delay": 1},
    }


def echo(request: web.Request) -> Any:
    """Answer with every secret that came along, as chatty APIs do in their errors and links."""
    told = {**request.headers, **request.query, "url": str(request.url), "raw": request.raw_path}
    if request.path == "/unauthorised":
        return answer({"error": "Not with these", "request": told, "message": str(told)}, 401)
    if request.path == "/broken" and "page" in request.query:
        return web.Response(text=f'{{"items": [{told}', content_type="application/json")
    if "page" in request.query:
        return {"items": [{"id": 3}], "next": None}
    return {"items": [{"id": 1}, {"id": 2}], "next": f"{request.raw_path}&page=2"}


@dataclass
class Scene:
    folder: Path
    runs: dict[str, Ended]
    server: Path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Scene:
    folder = tmp_path_factory.mktemp("canary")
    environment = VARIABLES | {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": None,
    }
    garbage = f"HTTP/1.1 200 OK\r\nX-Echo {HEADER} {LITERAL}\r\n\r\n".encode()
    runs: dict[str, Ended] = {}
    with serve(echo) as server, serve_raw(garbage) as raw:
        urls = {"unreachable": unused_url(), "garbled": raw.url}
        for names in (("well", "unauthorised"), ("unreachable", "broken"), ("garbled",)):
            processes = {}
            for name in names:
                file = folder / f"{name}.yaml"
                file.write_text(yaml.safe_dump(document(name, urls.get(name, server.url), folder)))
                words = ("run", str(file), *FLAGS[name])
                processes[name] = begin(*words, folder=folder, environment=environment)
            runs |= {name: ended(process) for name, process in processes.items()}
        carried = " ".join(f"{[*seen.headers.values()]} {seen.query}" for seen in server.requests)
    assert [each for each in CANARIES if each not in carried] == [LITERAL]  # sent to the others
    return Scene(folder, runs, Path(os.environ["ASTRIO_HOME"]))


@pytest.mark.parametrize("name", AUTHS)
def test_each_run_ends_as_it_should(scene: Scene, name: str) -> None:
    assert scene.runs[name].code == CODES[name], scene.runs[name].err


@pytest.mark.parametrize("name", AUTHS)
def test_no_output_shows_a_secret(scene: Scene, name: str) -> None:
    run = scene.runs[name]
    assert found(run.out.encode()) == []
    assert found(run.err.encode()) == []


def test_the_prefect_server_keeps_logs_and_states_of_these_runs_but_no_secret(
    scene: Scene,
) -> None:
    database = next(scene.server.rglob("prefect.db"))

    def logged() -> bool:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            count = connection.execute(
                "SELECT count(*) FROM log WHERE message LIKE '%canary-%' OR message LIKE '%401%'"
            ).fetchone()[0]
        return int(count) > 3

    assert eventually(logged)
    for file in scene.server.rglob("*"):
        if file.is_file():
            found_there = found(file.read_bytes(), *(set(CANARIES) - {LITERAL_HEADER}))
            assert found_there == [], f"in {file}"


def test_a_literal_in_a_header_is_no_flow_parameter(scene: Scene) -> None:
    for file in scene.server.rglob("*"):
        if file.is_file():
            assert found(file.read_bytes(), LITERAL_HEADER) == [], f"in {file}"


def test_no_file_beside_the_integrations_holds_a_secret(scene: Scene) -> None:
    seen = []
    for file in scene.folder.rglob("*"):
        if file.is_file() and file.suffix != ".yaml":
            seen.append(file.name)
            assert found(file.read_bytes()) == [], f"in {file}"
    assert {"well.db", "broken.db"} <= set(seen)


def test_the_broken_runs_resume_point_is_kept_without_its_secret(scene: Scene) -> None:
    with closing(sqlite3.connect(scene.folder / "broken.db")) as connection:
        kept = connection.execute("SELECT resume FROM _astrio_checkpoint").fetchone()[0]
    assert "page=2" in kept
    assert "${env:CANARY_QUERY}" in kept


def found(content: bytes, *secrets: str) -> list[str]:
    """Return the neighbourhood of each canary (or of these secrets) in `content`."""
    places = []
    for form in set().union(*map(forms, secrets or CANARIES)):
        at = content.find(form)
        if at >= 0:
            places.append(f"{form!r} in {content[max(at - 300, 0) : at + 60]!r}")
    return places
