"""The PostgreSQL destination: what is true of it alone."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contracts.destination import DestinationContract
from tests.contracts.renewing import RenewalContract
from tests.contracts.replacing import ReplaceContract


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


class TestPostgresql(DestinationContract):
    def read_json(self, stored: Any) -> Any:
        return stored


class TestReplace(ReplaceContract):
    pass


class TestRenewal(RenewalContract):
    pass
