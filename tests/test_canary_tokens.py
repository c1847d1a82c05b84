"""Tokens and the secrets that they grow from are found in nothing that a run leaves behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.command import Ended, astrio
from tests.support.provider import SECRET, Provider, provider
from tests.support.server import answer, serve
from tests.test_canary import forms

REFRESH = "canary-refresh-0"
PASSWORD = "canary-password-77+1/=%"
SIGNS = (
    b"canary-access-",
    b"canary-refresh-",
    b"canary-session-",
    *forms(SECRET),
    *forms(PASSWORD),
)


def auths(server: Provider) -> dict[str, dict[str, Any]]:
    client = {"token_url": f"{server.url}/token", "client_id": "me"}
    return {
        "refreshing": {
            "type": "oauth2_refresh_token",
            **client,
            "client_secret": SECRET,
            "refresh_token": "${env:REFRESH}",
        },
        "refused": {
            "type": "oauth2_client_credentials",
            **client,
            "client_secret": PASSWORD,
        },
        "login": {
            "type": "login",
            "url": f"{server.url}/login",
            "fields": {"user": "ada", "password": "${env:PASSWORD}"},
            "token": "token",
        },
    }


@contextmanager
def chatty(server: Provider) -> Iterator[str]:
    """An API that repeats every secret in its answers, and lets in who has a token."""

    def orders(request: Any) -> Any:
        if request.path == "/login":
            return answer({"token": "canary-session-9"})
        token = request.headers.get("authorization", "")
        known = token.removeprefix("Bearer ") in server.live
        return answer(
            {"message": f"refused: {token}", "orders": [{"id": 1}]}, 200 if known else 401
        )

    with serve(orders) as api:
        yield api.url


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, prefect_api: str
) -> tuple[Path, dict[str, Ended]]:
    folder = tmp_path_factory.mktemp("tokens")
    environment = {
        "REFRESH": REFRESH,
        "PASSWORD": PASSWORD,
        "PREFECT_API_URL": prefect_api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }
    ends: dict[str, Ended] = {}
    with provider() as server, chatty(server) as api:
        assert server.first_refresh_token() == REFRESH
        made = auths(server)
        made["login"]["url"] = f"{api}/login"
        for name, auth in made.items():
            file = folder / f"{name}.yaml"
            file.write_text(yaml.safe_dump(_document(name, api, auth, folder)))
            words = ("run", str(file), "--json", "--verbose", "--debug")
            ends[name] = astrio(*words, folder=folder, environment=environment)
            file.unlink()  # the literals that it holds are the user's own
    return folder, ends


def _document(name: str, url: str, auth: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        "name": f"tokens-{name}",
        "source": {
            "api": {"base_url": url, "auth": auth},
            "request": {"path": "/orders"},
            "records": "$.orders",
        },
        "map": {"id": "id"},
        "push": {"to": {"url": f"sqlite:///{folder / name}.db"}, "table": "t"},
        "retry": {"max_retries": 0},
    }


def test_the_runs_end_as_they_should(runs: tuple[Path, dict[str, Ended]]) -> None:
    _, ends = runs
    assert {name: end.code for name, end in ends.items()} == {
        "refreshing": 0,
        "refused": 1,
        "login": 1,
    }


def test_no_output_shows_one(runs: tuple[Path, dict[str, Ended]]) -> None:
    _, ends = runs
    for name, end in ends.items():
        said = (end.out + end.err).encode()
        assert [(name, sign) for sign in SIGNS if sign in said] == []


def test_no_file_holds_one_in_clear(runs: tuple[Path, dict[str, Ended]]) -> None:
    folder, _ = runs
    assert (folder / "astrio-home" / "ledger.db").exists()
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [(path.name, sign) for path in files for sign in SIGNS if sign in path.read_bytes()]
    assert found == []


def test_prefect_s_server_holds_none(runs: tuple[Path, dict[str, Ended]]) -> None:
    server = Path(os.environ["ASTRIO_HOME"])
    files = [path for path in server.rglob("*") if path.is_file()]
    assert files
    found = [(path.name, sign) for path in files for sign in SIGNS if sign in path.read_bytes()]
    assert found == []


def test_the_key_is_for_its_owner_alone(runs: tuple[Path, dict[str, Ended]]) -> None:
    folder, _ = runs
    assert (folder / "astrio-home" / "secret.key").stat().st_mode & 0o777 == 0o600
