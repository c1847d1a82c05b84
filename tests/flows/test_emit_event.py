"""The flow `emit-event`, and the task `emit` within it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.tasks.webhooks.outbox.delivering import rows

from astrio.blocks.errors import ConfigurationError
from astrio.flows.emit_event import emit_event


def test_a_flow_emits_an_event_once_for_each_key(prefect_api: str, home: Path) -> None:
    first = asyncio.run(emit_event("sync.failed", {"flow_run": "1"}, "event-1"))
    again = asyncio.run(emit_event("sync.failed", {"flow_run": "1"}, "event-1"))
    assert again == first
    assert rows("SELECT id, name, state FROM _astrio_outbox") == [(first, "sync.failed", "new")]


def test_what_is_no_event_fails_the_run(prefect_api: str, home: Path) -> None:
    with pytest.raises(ConfigurationError, match="no name of an event"):
        asyncio.run(emit_event("no name", {}))
