"""Literals where a secret belongs are masked in every dump, and remembered for every message."""

from __future__ import annotations

import pytest

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.settings import RequestSettings

REVEALED = {"show_secrets": True}


def test_a_literal_header_of_a_sensitive_name_is_masked_and_remembered() -> None:
    api = RestApi(base_url="https://x.example", headers={"X-Api-Key": "k-12345", "X-Page": "7"})
    assert api.model_dump()["headers"] == {"X-Api-Key": "***", "X-Page": "7"}
    assert api.model_dump(context=REVEALED)["headers"]["X-Api-Key"] == "k-12345"
    assert redact("sent k-12345") == "sent ***"


@pytest.mark.parametrize("value", ["${env:TOKEN}", "Bearer ${env:TOKEN}", ""])
def test_references_and_empty_values_are_kept(value: str) -> None:
    settings = RequestSettings(headers={"Authorization": value}, params={"token": value})
    dumped = settings.model_dump()
    assert dumped["headers"]["Authorization"] == value
    assert dumped["params"]["token"] == value


def test_a_literal_parameter_of_a_sensitive_name_is_masked() -> None:
    settings = RequestSettings(params={"api_key": "p-12345", "limit": 5, "token": None})
    assert settings.model_dump()["params"] == {"api_key": "***", "limit": 5, "token": None}
    assert redact("p-12345") == "***"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("postgresql://me:s3cret99@db/x", "postgresql://me:***@db/x"),
        ("postgresql://me:${env:PASSWORD}@db/x", "postgresql://me:${env:PASSWORD}@db/x"),
        ("${env:WAREHOUSE_URL}", "${env:WAREHOUSE_URL}"),
        ("sqlite:///orders.db", "sqlite:///orders.db"),
    ],
)
def test_a_literal_password_of_a_database_url_is_masked(url: str, stored: str) -> None:
    target = SqlTarget(url=url)
    assert target.model_dump()["url"] == stored
    assert target.model_dump(context=REVEALED)["url"] == url


@pytest.mark.parametrize("stored", ["***", "postgresql://me:***@db/x"])
def test_what_was_masked_is_never_sent(stored: str) -> None:
    with pytest.raises(ConfigurationError, match="masked"):
        resolve(stored)
