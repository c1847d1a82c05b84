"""Which runs read everything that the source has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.flows.api import integration

from astrio.flows.wholeness import reads_everything
from astrio.tasks.incremental import Window
from astrio.tasks.options import RunOptions

BY_TIME = {"cursor": "at", "param": "since"}


@pytest.mark.parametrize(
    ("incremental", "options", "start", "everything"),
    [
        (None, {}, None, True),
        (None, {"limit": 5}, None, False),
        (None, {"until": "2026-01-01"}, None, False),
        (BY_TIME, {}, None, False),
        (BY_TIME, {"full_refresh": True}, None, True),
        (BY_TIME, {"full_refresh": True}, "2026-01-01", False),
        (BY_TIME | {"end_param": "until"}, {"full_refresh": True}, None, False),
    ],
)
def test_a_run_reads_everything_where_nothing_bounds_it(
    incremental: Any, options: dict[str, Any], start: Any, everything: bool
) -> None:
    source = {} if incremental is None else {"incremental": incremental}
    plan = integration("https://shop.example.com", Path("items.db"), source=source)
    assert reads_everything(plan, RunOptions(**options), Window(start)) is everything
