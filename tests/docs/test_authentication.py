from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.flows.running import run
from tests.support.authority import Authority
from tests.support.proxy import proxy
from tests.support.server import Seen, answer, serve

from astrio.flows.reading.read import read_integration

PAGE = Path(__file__).parents[2] / "docs" / "authentication.md"
EXAMPLES = {
    re.findall(r"^name: (.*)$", text, re.M)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
}
KEY = "canary-docs-8841"
CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_KEY", KEY)


def records(_: web.Request) -> Any:
    return [{"id": 1}]


def works(name: str) -> None:
    file = Path(f"{name}.yaml")
    file.write_text(EXAMPLES[name], encoding="utf-8")
    assert run(read_integration(file).integration).records.written == 1


def challenging(request: web.Request) -> Any:
    return records(request) if "Authorization" in request.headers else answer({}, 401, CHALLENGE)


def _signed(seen: Seen) -> bool:
    text = f"{seen.headers['X-Timestamp']}GET{seen.target}"
    signature = hmac.new(KEY.encode(), text.encode(), "sha256").hexdigest()
    return seen.headers["Authorization"] == f"HMAC k1:{signature}"


@pytest.mark.parametrize(
    ("name", "handler", "is_right"),
    [
        ("key-in-body", records, lambda seen: seen.json()["auth"] == {"key": KEY}),
        ("digest", challenging, lambda seen: "Digest" in seen.headers["Authorization"]),
        ("signed", records, _signed),
        ("aws", records, lambda seen: "AWS4-HMAC-SHA256" in seen.headers["Authorization"]),
    ],
)
def test_an_example_sends_what_the_page_says(
    name: str,
    handler: Callable[[web.Request], Any],
    is_right: Callable[[Seen], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(handler) as server:
        monkeypatch.setenv("API_URL", server.url)
        works(name)
    assert is_right(server.requests[-1])


def test_the_example_of_a_client_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    authority.issue("client", KEY.encode())
    monkeypatch.setenv("CA_FILE", str(authority.ca))
    with serve(records, authority.server_context(mutual=True)) as server:
        monkeypatch.setenv("API_URL", server.url)
        works("client-certificate")


def test_the_example_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "Basic " + b64encode(f"ann:{KEY}".encode()).decode()
    with proxy(wanted) as through, serve(records) as server:
        monkeypatch.setenv("API_URL", server.url)
        monkeypatch.setenv("PROXY_ADDRESS", through.address)
        works("through-a-proxy")
    assert through.given == [wanted]
