"""From an answer to an outcome for each record that the request carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from astrio.blocks.errors import ApiAnswerError, AstrioError, RecordRejectedError
from astrio.tasks.destinations.api.composer import Composer
from astrio.tasks.destinations.api.sender import Answered, Sender
from astrio.tasks.destinations.api.settings import DeliverySettings
from astrio.tasks.http.answer import Answer
from astrio.tasks.http.items import ItemOutcome, split_items
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.paths import compile_path

_MISSING = (404, 410)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record.

    Attributes:
        state: accepted, refused, faulty (it may be sent again), or unknown.
        words: why it was not accepted, in the API's words.
        returned: what the answer told of it.
    """

    state: Literal["accepted", "refused", "faulty", "unknown"]
    words: str = ""
    returned: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up has told: whether the API has the record, and what it tells of it."""

    there: bool
    returned: dict[str, Any] | None = None


class Outcomes:
    """Reads answers by the file's settings."""

    def __init__(
        self,
        settings: DeliverySettings,
        sender: Sender,
        look_up: Composer | None,
        context: MappingContext,
    ) -> None:
        """Take the settings, what sends, what makes look-ups, and the clock of expressions.

        Raises:
            ConfigurationError: an expression has mistakes.
        """
        self._settings = settings
        self._sender = sender
        self._look_up = look_up
        self._context = context
        self._paths = {name: compile_path(path) for name, path in settings.returns.items()}
        found = settings.lookup.found if settings.lookup else "false"
        self._found = compile_expression(found, context)

    def of_items(self, answered: Answered, items: Sequence[Any]) -> list[Outcome] | None:
        """Return what the body tells of each item that was sent; None: it tells of none."""
        answer = answered.answer
        if self._settings.items is None or answer is None:
            return None
        if answered.state not in ("accepted", "refused"):
            return None
        try:
            body = self._sender.body(answer)
            told = split_items(self._settings.items, answer.status, body, items, self._context)
        except ApiAnswerError as error:
            if answered.state == "refused":
                return None
            return [Outcome("unknown", error.message.rstrip("."))] * len(items)
        return [self._of_item(each, answer) for each in told]

    def of_all(self, answered: Answered, count: int) -> list[Outcome]:
        """Return one outcome for all that the request carried."""
        if answered.state == "accepted" and answered.answer is not None:
            return [self._accepted(answered.answer)] * count
        told = answered.state
        state = told if told in ("faulty", "unknown") else "refused"
        return [Outcome(state, answered.words)] * count

    async def look_up(
        self, record: Mapping[str, Any], token: str, returned: Mapping[str, Any] | None
    ) -> Found | None:
        """Ask the API whether it has a record; None: it does not tell."""
        assert self._look_up is not None  # asked only where the file says how
        try:
            request = self._look_up.request(record, token, returned)
        except RecordRejectedError:
            return None
        answered = await self._sender.send(request)
        if answered.answer is not None and answered.answer.status in _MISSING:
            return Found(there=False)
        if answered.state != "accepted" or answered.answer is None:
            return None
        try:
            body = self._sender.body(answered.answer)
            if not self._found(body):
                return Found(there=False)
            return Found(there=True, returned=self._returned(body))
        except AstrioError:
            return None

    def _of_item(self, told: ItemOutcome, answer: Answer) -> Outcome:
        if told.state == "ok":
            return self._accepted(answer)
        words = told.message or "The API failed it, and does not say why"
        return Outcome("unknown" if told.state == "unknown" else "refused", words.rstrip("."))

    def _accepted(self, answer: Answer) -> Outcome:
        if not self._paths:
            return Outcome("accepted")
        try:
            return Outcome("accepted", returned=self._returned(self._sender.body(answer)))
        except ApiAnswerError as error:
            return Outcome("unknown", error.message.rstrip("."))

    def _returned(self, body: Any) -> dict[str, Any] | None:
        found = {name: path.first(body) for name, path in self._paths.items()}
        missing = sorted(name for name, value in found.items() if value is None)
        if missing:
            raise ApiAnswerError(
                f"the API accepted it, but its answer has nothing at `returns.{missing[0]}`"
            )
        return found or None
