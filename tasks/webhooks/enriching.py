"""Thin events: the object that an event names is fetched from the API, whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.tasks.answers import Answers
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.first import build_first_request
from astrio.tasks.incremental import Window
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.settings import RequestSettings, ResponseSettings
from astrio.tasks.webhooks.receiving import Enrich

_GONE: Final = (404, 410)


def enriching(
    request: RequestSettings,
    response: ResponseSettings,
    variables: Mapping[str, Any],
    context: MappingContext,
) -> Enrich:
    """Return what fetches the records that a record of an event is about.

    The request's placeholders know the event's record as `event`; the answer is the record, or a
    list of records.

    Args:
        request: `source.request`.
        response: `source.response`.
        variables: `vars`.
        context: the run's clock.
    """
    scope = {"timestamp": context.now.isoformat(), **variables}

    async def enrich(session: ApiClient, record: Any) -> list[Any]:
        answers = Answers(response, "$", context, session.api.limits)
        try:
            asked = build_first_request(request, {**scope, "event": record}, Window(), None)
            answer = await session.send(asked, answers=answers)
        except ConfigurationError as error:
            raise RecordRejectedError(f"the request cannot be made: {error.message}") from None
        except RefusedError as error:
            if error.status not in _GONE:
                raise
            words = f"the API no longer has what the event names ({error.status})"
            raise RecordRejectedError(words) from None
        body = answers.decode(answer)
        return body if isinstance(body, list) else [body]

    return enrich
