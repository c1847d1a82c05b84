"""From records to the requests that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec

from astrio.blocks.errors import ConfigurationError, RecordRejectedError
from astrio.blocks.secrets import resolve
from astrio.tasks.actions.rendering import Fill, RequestTemplate
from astrio.tasks.destinations.api.settings import KEY_NAME, Sending
from astrio.tasks.http.first import KEY_HEADER
from astrio.tasks.http.marks import Marks
from astrio.tasks.http.request import FilledRequest
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.template import render

_LINES: Final = "application/x-ndjson"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Composer:
    """Makes one kind of requests: those that create, those that update, or look-ups."""

    def __init__(
        self,
        sending: Sending,
        variables: Mapping[str, Any],
        started: datetime,
        fill: Fill = resolve,
    ) -> None:
        """Take the settings, `vars`, and what `{{timestamp}}` and `now()` are, UTC.

        Args:
            sending: what is sent.
            variables: `vars`.
            started: when the run began, UTC.
            fill: returns what a reference stands for.
        """
        self._context = MappingContext(started)
        self._always = {"timestamp": started.isoformat(timespec="seconds"), **variables}
        self._batch = sending.batch
        content = sending.content
        if not sending.has_body and content.method in _WITH_BODY:
            whole = "{{record}}" if sending.batch is None else "{{records}}"
            content = content.model_copy(update={"body": whole})
        key = content.idempotency_key
        self._header = KEY_HEADER if key is True else key or None
        self._harmless = sending.keyed or content.idempotent
        self._template = RequestTemplate(content, sending.path, fill)
        self._marks = Marks(fill)
        self._item = self._marks.put(sending.batch.item if sending.batch else None)

    def request(
        self, record: Mapping[str, Any], token: str, returned: Mapping[str, Any] | None
    ) -> FilledRequest:
        """Return the request for a record.

        Raises:
            RecordRejectedError: a placeholder cannot be filled in from it.
        """
        scope = self._scope(record, token) | {"returned": dict(returned or {})}
        return self._keyed(self._template.request(scope, self._context), token)

    def item(self, record: Mapping[str, Any], token: str) -> Any:
        """Return what the record is within a batch; raises as `request`."""
        if self._item is None:
            return dict(record)
        try:
            made = render(self._item, self._scope(record, token), context=self._context)
        except ConfigurationError as error:
            told = self._marks.written(error.message).rstrip(".")
            raise RecordRejectedError(f"{told}.", advice=error.advice) from None
        return self._marks.taken(made)

    def batch(self, items: Sequence[Any], token: str) -> FilledRequest:
        """Return the request for a batch; raises as `request`."""
        scope = {**self._always, "records": list(items), KEY_NAME: token}
        request = self._template.request(scope, self._context)
        if self._batch is not None and self._batch.lines:
            request = replace(
                request,
                body=_lines(items),
                body_kind="text",
                content_type=request.content_type or _LINES,
            )
        return self._keyed(request, token)

    def _scope(self, record: Mapping[str, Any], token: str) -> dict[str, Any]:
        return {**self._always, "record": dict(record), **record, KEY_NAME: token}

    def _keyed(self, request: FilledRequest, token: str) -> FilledRequest:
        headers = dict(request.headers)
        if self._header is not None:
            headers[self._header] = token
        idempotent = request.idempotent or self._harmless
        return replace(request, headers=headers, key_header=None, idempotent=idempotent)


def _lines(items: Sequence[Any]) -> str:
    flat = [line for item in items for line in (item if isinstance(item, list) else [item])]
    return "".join(f"{msgspec.json.encode(line).decode()}\n" for line in flat)
