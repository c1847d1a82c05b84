"""Variables an integration needs, and the connection with its vars filled in."""

from __future__ import annotations

from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.flows.connecting import resolved_api
from astrio.flows.integration import Integration
from astrio.flows.variables import missing_variables, require_variables


def integration(**api: Any) -> Integration:
    return Integration.model_validate(
        {
            "name": "shop",
            "vars": {"shop": "acme", "port": 8080, "bad": "a b"},
            "source": {
                "api": {"base_url": "https://shop.example.com", **api},
                "request": {"params": {"tags": ["${env:TAG}", 5]}, "headers": {"X": "${env:X_ID}"}},
            },
            "push": {"to": {"url": "${env:WAREHOUSE_URL}"}, "table": "orders"},
        }
    )


def test_missing_variables_are_found_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAG", "X_ID", "WAREHOUSE_URL", "SHOP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("X_ID", "1")
    monkeypatch.setenv("WAREHOUSE_URL", "")
    wanted = integration(auth={"type": "bearer", "token": "${env:SHOP_TOKEN}"})
    assert missing_variables(wanted) == ["SHOP_TOKEN", "TAG", "WAREHOUSE_URL"]


def test_going_on_without_a_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "1")
    monkeypatch.setenv("X_ID", "1")
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="variable WAREHOUSE_URL, which is not set"):
        require_variables(integration())


def test_nothing_missing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAG", "X_ID", "WAREHOUSE_URL"):
        monkeypatch.setenv(name, "1")
    require_variables(integration())


def test_vars_fill_in_base_url_and_headers() -> None:
    api = resolved_api(
        integration(base_url="https://{{shop}}.example.com:{{port}}", headers={"X": "{{shop}}"})
    )
    assert api is not None
    assert api.base_url == "https://acme.example.com:8080"
    assert api.headers == {"X": "acme"}


def test_references_stay_references() -> None:
    api = resolved_api(integration(base_url="${env:SHOP_URL}", headers={"X": "${env:X_ID}"}))
    assert api is not None
    assert (api.base_url, api.headers) == ("${env:SHOP_URL}", {"X": "${env:X_ID}"})


def test_a_base_url_that_its_vars_spoil_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="with its vars filled in"):
        resolved_api(integration(base_url="https://{{bad}}.example.com"))


def test_an_unknown_placeholder_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shp"):
        resolved_api(integration(base_url="https://{{shp}}.example.com"))
