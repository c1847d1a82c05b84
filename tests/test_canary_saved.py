"""Secrets in blocks, in variables and in database URLs are found in nothing that a run leaves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from aiohttp import web
from tests.support.blocks import save_block, save_secret
from tests.support.command import Ended, astrio
from tests.support.postgres import PASSWORD, USER, PostgresServer
from tests.support.server import answer, serve
from tests.test_canary import found

from astrio.blocks.api import RestApi
from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.database import Database
from astrio.blocks.store.document import Document

TOKEN, HEADER, SECRET, DOOR, SHUT, VARIABLE = CANARIES = (
    "blk-cAnary+4a/1=Rs%t&1",
    "bhd-cAnary+5b/2=Tu%v&2",
    "bsc-cAnary+6c/3=Vw%x&3",
    "bdb-cAnary+7d/4=Xy%z&4",
    "bsh-cAnary+8e/5=Za%b&5",
    "bvr-cAnary+9f/6=Bc%d&6",
)
CODES = {"well": 0, "refused": 1, "shut": 1, "variable": 0}


def echo(request: web.Request) -> Any:
    """Answer with every secret that came along."""
    told = {**request.headers, **request.query, "url": str(request.url)}
    if request.path == "/refused":
        return answer({"error": str(told), "request": told}, 401)
    return {"items": [{"id": 1}, {"id": 2}]}


def save(server: str, door: str, shut: str) -> None:
    """Save everything under its name, secrets in clear, as people do."""
    from astrio.blocks.saved.saving import save as save_document

    save_block(BearerAuth, "canary-token", token=TOKEN)
    api = {"base_url": server, "headers": {"X-Own": HEADER}, "auth": {"token": TOKEN}}
    nested = {"auth": (BearerAuth.slug(), "canary-token")}
    save_document(RestApi, Document(RestApi.slug(), "canary-api", api, nested))
    for name, url in (("canary-door", door), ("canary-shut", shut)):
        save_document(Database, Document(Database.slug(), name, {"url": url}, {}))
    save_secret("canary-secret", SECRET)


def document(name: str) -> dict[str, Any]:
    to: Any = {"shut": "canary-shut", "variable": {"url": "${env:CANARY_URL}"}}
    return {
        "name": f"canary-saved-{name}",
        "source": {
            "api": "canary-api",
            "request": {"path": f"/{name}", "params": {"k": "${secret:canary-secret}"}},
            "records": "$.items",
        },
        "map": {"id": "id"},
        "push": {
            "to": to.get(name, "canary-door"),
            "table": f"items_{name}",
            "mode": "upsert",
            "key": ["id"],
        },
        "retry": {"max_retries": 0},
    }


@dataclass
class Scene:
    folder: Path
    runs: dict[str, Ended]


def with_password(url: str, user: str, password: str) -> str:
    return url.replace(f"{USER}:{PASSWORD}", f"{user}:{quote(password, safe='')}")


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, prefect_api: str, postgres: PostgresServer
) -> Scene:
    folder = tmp_path_factory.mktemp("canary-saved")
    url = postgres.create_database()
    for role, password in (("canary_door", DOOR), ("canary_variable", VARIABLE)):
        postgres.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{password}'")
    environment = {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": None,
        "CANARY_URL": with_password(url, "canary_variable", VARIABLE),
    }
    runs: dict[str, Ended] = {}
    with serve(echo) as server:
        door = with_password(url, "canary_door", DOOR)
        save(server.url, door, with_password(url, "canary_door", SHUT))
        for name in CODES:
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump(document(name)))
            words = ("run", str(file), "--json" if name == "well" else "--verbose", "--debug")
            runs[name] = astrio(*words, folder=folder, environment=environment)
        for words in (
            ("preview", "well.yaml"),
            ("test", "well.yaml", "--debug"),
            ("status", "--json"),
            ("connections", "list"),
            ("connections", "list", "--json"),
            ("connections", "test", "canary-api", "--path", "/refused", "--debug"),
            ("connections", "test", "canary-door"),
            ("connections", "test", "canary-shut", "--debug"),
            ("deploy", "well.yaml", "--json"),
        ):
            runs[" ".join(words)] = astrio(*words, folder=folder, environment=environment)
        carried = " ".join(f"{[*seen.headers.values()]} {seen.query}" for seen in server.requests)
    assert all(each in carried for each in (TOKEN, HEADER, SECRET))
    return Scene(folder, runs)


@pytest.mark.parametrize("name", CODES)
def test_each_run_ends_as_it_should(scene: Scene, name: str) -> None:
    assert scene.runs[name].code == CODES[name], scene.runs[name].err


def test_no_output_shows_a_secret(scene: Scene) -> None:
    for words, run in scene.runs.items():
        assert found(run.out.encode(), *CANARIES) == [], words
        assert found(run.err.encode(), *CANARIES) == [], words
        assert "Traceback" not in run.out


def test_the_prefect_server_keeps_no_secret_in_clear(scene: Scene) -> None:
    home = Path(os.environ["ASTRIO_HOME"])
    assert list(home.rglob("prefect.db"))
    for file in home.rglob("*"):
        if file.is_file():
            assert found(file.read_bytes(), *CANARIES) == [], f"in {file}"


def test_neither_astrios_home_nor_the_databases_tables_hold_one(
    scene: Scene, postgres: PostgresServer
) -> None:
    for file in scene.folder.rglob("*"):
        if file.is_file() and file.suffix != ".yaml":
            assert found(file.read_bytes(), *CANARIES) == [], f"in {file}"
    for file in (postgres.folder / "data" / "base").rglob("*"):
        if file.is_file():
            assert found(file.read_bytes(), *CANARIES) == [], f"in {file}"
