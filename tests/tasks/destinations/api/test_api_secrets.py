"""Secrets that are written out in `push.to`: shown nowhere, stored nowhere, refused by `deploy`."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrio.deployments.deploying.collecting import collect
from astrio.flows.reading.read import check_file, read_integration

API = """\
name: a
source: {api: {base_url: "https://app.example.com"}}
push:
  to:
    api:
      base_url: "https://crm.example.com"
      auth: {token: lit-one}
      headers: {X-Api-Key: lit-two}
    request: {headers: {Authorization: "Bearer lit-three"}, params: {api_key: lit-four}}
    lookup: {path: /x, found: "true", headers: {Authorization: "Bearer lit-five"}}
"""
ACTION = """\
name: a
source: {api: {base_url: "https://app.example.com"}}
push: {to: {url: "https://crm.example.com", body: {a: 1}, headers: {Authorization: "lit-one"}}}
"""


@pytest.mark.parametrize(("text", "count"), [(API, 5), (ACTION, 1)])
def test_a_literal_is_warned_of_masked_and_refused_by_deploy(
    text: str, count: int, tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text, "utf-8")
    found = check_file(file)
    assert [each.warning for each in found] == [True] * count
    plan = read_integration(file).integration
    assert "lit-" not in plan.model_dump_json()
    assert "lit-" not in repr(plan)
    assert len(collect([file]).mistakes[file]) == count
