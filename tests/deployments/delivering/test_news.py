"""What `astrio up` tells of triggers: where events go, and what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrio.deployments.deploying.collecting import collect, folder_files
from astrio.deployments.serving.news import news

TRIGGER = """\
on: [order.*, refund.created]
push:
  to:
    - {webhook: {url: "${env:CRM_URL}", secret: "${env:CRM_SECRET}"}}
    - {webhook: {url: "https://erp.example.com/token-canary", secret: "${env:ERP_SECRET}"}}
"""


@pytest.fixture(autouse=True)
def _trigger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orders-to-crm.yaml").write_text(TRIGGER)
    monkeypatch.setenv("ERP_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def lines(folder: Path) -> list[str]:
    return list(news(collect(folder_files(folder))))


def test_each_trigger_is_told_with_its_events_and_the_number_of_its_webhooks(
    tmp_path: Path,
) -> None:
    told = lines(tmp_path)
    assert "orders-to-crm: order.*, refund.created to 2 webhooks" in told
    assert "canary" not in str(told)


def test_what_a_trigger_needs_and_is_not_set_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = "warning: orders-to-crm needs CRM_SECRET, CRM_URL, not set here: its events wait"
    assert warning in lines(tmp_path)
    monkeypatch.setenv("CRM_URL", "https://crm.example.com")
    monkeypatch.setenv("CRM_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert not [line for line in lines(tmp_path) if "warning" in line]
