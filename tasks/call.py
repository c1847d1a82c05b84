"""The task `call`: one request for one record, from any flow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from astrio.blocks.store import reader
from astrio.tasks.actions import calling
from astrio.tasks.actions.calling import Called
from astrio.tasks.actions.given import action_file
from astrio.tasks.actions.settings import Action, ActionFile

__all__ = ["Called", "call"]


@task(name="call", cache_policy=NO_CACHE, persist_result=False)
async def call(
    action: Action | ActionFile | Mapping[str, Any] | str | Path,
    data: Mapping[str, Any] | None = None,
) -> Called:
    """Send one request, filled in from a record, and return its answer.

    The client retries by `retry` of the action's file; retries of the task come on top of these,
    and would send a POST again whose outcome is unknown. Prefect stores neither record nor answer.
    Outside of flows, call `astrio.tasks.actions.calling.call`.

    Args:
        action: an action, `{method, url, headers, body}` as a dict, or the path of a file with it.
        data: the record that `{{expression}}` is filled in from.

    Raises:
        ConfigurationError: the action has mistakes, or a variable is not set.
        RecordRejectedError: the mapping fails for the record, or it breaks a rule.
        OutcomeUnknownError: no answer came, and the request must not be sent twice.
        AstrioError: the API refused the request, or stayed unreachable.
    """
    reader.forget()  # saved secrets may have been rotated since the last call of this process
    return await calling.call(action_file(action), data or {})
