"""Each action of the product page, as written, sent for each record of a source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.flows.running import run
from tests.support.server import serve
from tests.tasks.actions.page import PAGE, aimed
from tests.tasks.actions.test_product_page import RECORD

from astrio.blocks.errors import AstrioError
from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration
from astrio.tasks.destinations.opening import quarantine_rows

RECORDS = [
    json.loads(json.dumps(RECORD).replace('"id": 7', f'"id": {number}')) for number in range(3)
]
MORE = {
    "sendgrid": {"headers": {"Authorization": "Bearer ${env:A_KEY}"}},
    "s3": {
        "auth": {
            "type": "aws_sigv4",
            "access_key_id": "AKIAEXAMPLE",
            "secret_access_key": "${env:A_KEY}",
            "region": "eu-central-1",
            "service": "s3",
        },
        "headers": {"Content-Type": "{{file.type}}"},
    },
}


@pytest.mark.parametrize("vendor", PAGE)
def test_an_action_is_sent_for_each_record(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "a-key-of-the-vendor")
    with serve(lambda _: RECORDS) as source, serve(lambda _: {}) as server:
        action = yaml.safe_load(aimed(PAGE[vendor], server.url).replace("0x00ff00", "65280"))
        file = {
            "name": vendor,
            "source": {"api": {"base_url": source.url}},
            "push": {"to": action | MORE.get(vendor, {})},
        }
        path = tmp_path / f"{vendor}.yaml"
        path.write_text(yaml.safe_dump(file), "utf-8")
        plan = read_integration(path).integration
        report = run(plan)
    assert report.records.written == 3
    assert len(server.requests) == 3
    seen = server.requests[0]
    assert seen.method == action.get("method", "POST")
    assert b"{{" not in seen.body
    assert "{{" not in seen.target


def test_a_message_that_a_record_cannot_fill_in_is_rejected_and_not_sent() -> None:
    records: list[Any] = [{"user": {"name": "Ada"}}, {"nobody": 1}]
    with serve(lambda _: records) as source, serve(lambda _: {}) as server:
        plan = read(source.url, {"url": server.url, "body": {"text": "{{user.name}}"}})
        report = run(plan)
    assert (report.records.written, report.records.rejected) == (1, 1)
    assert [each.json() for each in server.requests] == [{"text": "Ada"}]
    [row] = quarantine_rows(plan.push, plan.name)
    assert "Nothing is called user here" in row["reason"]


def test_a_missing_variable_is_told_and_nothing_is_sent() -> None:
    with serve(lambda _: RECORDS) as source, serve(lambda _: {}) as server:
        plan = read(source.url, {"url": server.url + "/${env:NO_SUCH}", "body": {"a": 1}})
        with pytest.raises(AstrioError, match="NO_SUCH"):
            run(plan)
    assert server.requests == []


def read(source: str, to: dict[str, Any]) -> Integration:
    return Integration.model_validate(
        {"name": "messages", "source": {"api": {"base_url": source}}, "push": {"to": to}}
    )
