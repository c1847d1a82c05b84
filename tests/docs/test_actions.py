"""Every example of docs/actions.md, checked and called."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from tests.deployments.cli.cli import call
from tests.support.server import Seen, serve
from tests.tasks.actions.page import aimed

from astrio.flows.reading.read import check_file

PAGE = (Path(__file__).parents[2] / "docs" / "actions.md").read_text("utf-8")
EXAMPLES = {
    re.findall(r"# (\w+)\.yaml", text)[0]: text
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
}
[FLOW] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
DATA = (
    '{"user": {"name": "Ada", "email": " ADA@example.com"}, "order": {"total": 12.5}, '
    '"file": {"name": "a.txt", "type": "text/plain", "data": "abc"}}'
)
SENT: dict[str, tuple[str, str, bytes]] = {
    "welcome": ("POST", "/v3/mail/send", b'"Welcome Ada!"'),
    "upload": ("PUT", "/a.txt", b"abc"),
    "notify": ("POST", "/api/webhooks/a-hook?wait=true", b"New order received: $12.5"),
    "subscribe": ("PUT", "/news/members/ada%40example.com", b'{"name":"Ada"}'),
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> None:
    assert not home.exists()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENDGRID_KEY", "a-key-of-sendgrid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-access-key")
    monkeypatch.setenv("DISCORD_HOOK", "a-hook")


def sent(name: str) -> Seen:
    """Call an example at a server of our own, and return the request that arrived."""
    with serve(lambda _: {}) as server:
        Path(f"{name}.yaml").write_text(aimed(EXAMPLES[name], server.url), "utf-8")
        result = call("call", f"{name}.yaml", "--data", DATA)
        assert result.exit_code == 0, result.stderr
    [request] = server.requests
    return request


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_sent_as_the_page_says(name: str) -> None:
    Path(f"{name}.yaml").write_text(EXAMPLES[name], "utf-8")
    assert check_file(Path(f"{name}.yaml")) == []
    request, (method, target, body) = sent(name), SENT[name]
    assert (request.method, request.target) == (method, target)
    assert body in request.body


@pytest.mark.usefixtures("prefect_api")
def test_the_flow_calls() -> None:
    scope: dict[str, Any] = {"__name__": "page"}
    exec(FLOW, scope)
    with serve(lambda _: {}) as server:
        Path("welcome.yaml").write_text(aimed(EXAMPLES["welcome"], server.url), "utf-8")
        assert asyncio.run(scope["sign_up"]({"name": "Ada", "email": "a@example.com"})) == 200
    assert len(server.requests) == 1
