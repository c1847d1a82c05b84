"""Every example of docs/tokens.md and docs/limits.md runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.blocks.auth.test_token_auths import PEM
from tests.flows.running import run
from tests.support.provider import SECRET, Provider
from tests.support.server import serve

from astrio.flows.reading.read import read_integration

DOCS = Path(__file__).parents[2] / "docs"
TEXTS = [(DOCS / page).read_text(encoding="utf-8") for page in ("tokens.md", "limits.md")]
EXAMPLES = {
    re.findall(r"^name: (.*)$", example, re.M)[0]: example
    for text in TEXTS
    for example in re.findall(r"```yaml\n(.*?)```", text, re.S)
}
STATIC = ("token-pool", "within-limits")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    made = Provider()

    def api(request: Any) -> Any:
        match request.path:
            case "/token":
                return made.token(request)
            case "/login":
                made.live["a-session"] = 9e9
                return {"session": {"token": "a-session"}}
            case _:
                return {"orders": [{"id": 1}]} if name in STATIC else made.orders(request)

    with serve(api) as server:
        variables = {
            "API_URL": server.url,
            "CLIENT_SECRET": SECRET,
            "REFRESH_TOKEN": made.first_refresh_token(),
            "PRIVATE_KEY": PEM,
            "PASSWORD": "a-password",
            "FIRST": "first-token",
            "SECOND": "second-token",
        }
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.chdir(tmp_path)
        file = tmp_path / f"{name}.yaml"
        file.write_text(EXAMPLES[name], encoding="utf-8")
        report = run(read_integration(file).integration)
    assert report.records.written == (1 if name in STATIC else 2)


def test_every_kind_of_the_table_is_explained() -> None:
    linked = re.findall(r"\]\(#([\w-]+)\)", TEXTS[0])
    headings = [
        line[3:].lower().replace(" ", "-") for line in re.findall(r"^## .*$", TEXTS[0], re.M)
    ]
    assert linked
    assert set(linked) == set(headings)
