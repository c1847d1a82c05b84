"""The flow `keep-alive`: refresh tokens that no run has used for long are used, so that they stay.

Some providers drop a refresh token that was not used for some days or weeks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from prefect import flow
from prefect.logging import get_run_logger

from astrio.blocks.api import RestApi
from astrio.blocks.errors import AstrioError
from astrio.blocks.redaction import redact
from astrio.blocks.store import reader
from astrio.blocks.store.kinds import authentications
from astrio.blocks.tokens import NeedsAuthorisationError, TokenAuth
from astrio.flows.reauthorising import tell_needs_authorisation
from astrio.flows.redacted_logs import redact_logs
from astrio.tasks.tokens.renewal import Renewal

redact_logs()
OLD_HOURS = 20.0


@flow(name="keep-alive", persist_result=False, validate_parameters=True)
async def keep_alive(older_than_hours: float = OLD_HOURS) -> dict[str, str]:
    """Renew each saved connection's token that was not renewed for so long.

    A connection that needs a new authorisation raises its event and holds up no other.

    Returns:
        What became of each, by the name it is saved under.

    Raises:
        AstrioError: a token could not be renewed; the others were.
    """
    told: dict[str, str] = {}
    problems: list[AstrioError] = []
    for name, auth in await asyncio.to_thread(lambda: list(saved_grants())):
        try:
            renewal = Renewal(RestApi(base_url="https://localhost"), auth)
            await renewal.current(older_than=time.time() - older_than_hours * 3600)
            told[name] = "alive"
        except NeedsAuthorisationError as error:
            tell_needs_authorisation(error, name)
            told[name] = "needs an authorisation"
        except AstrioError as error:
            told[name] = redact(error.message)
            problems.append(error)
    get_run_logger().info("; ".join(f"{name}: {what}" for name, what in told.items()))
    if problems:
        raise problems[0]
    return told


def saved_grants() -> Iterator[tuple[str, TokenAuth]]:
    """Yield every saved authentication whose refresh token may lapse unused, with its name.

    One that is half filled is left out: a run that uses it will tell.
    """
    with reader.open_door() as door:
        for kind in authentications():
            if not issubclass(kind, TokenAuth) or not kind.lapses_unused:
                continue
            for document in reader.listed(door, kind):
                try:
                    plain = document.plain()
                except AstrioError:
                    continue
                assert isinstance(plain, TokenAuth)
                yield document.name, plain
