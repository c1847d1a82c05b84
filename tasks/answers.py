"""How a source's answers are judged and read: format, predicates, records that are errors."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec

from astrio.blocks.api import Limits, RestApi
from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    ConfigurationError,
    CredentialsError,
    RecordRejectedError,
)
from astrio.tasks.batch import Problem, Reject
from astrio.tasks.decode.archive import is_packed
from astrio.tasks.decode.base import BrokenRecord, Piece
from astrio.tasks.decode.choice import Decoding
from astrio.tasks.decode.projection import Projection
from astrio.tasks.http.answer import Answer
from astrio.tasks.http.excerpt import vendor_message
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.paths import compile_path
from astrio.tasks.projected import picked
from astrio.tasks.settings import ResponseSettings

Predicate = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer is beyond its status: an error, and whether to ask again."""

    error: AstrioError
    repeat: bool = False


class Answers:
    """Reads the answers of one source.

    Attributes:
        decoding: bytes to values.
        judges: whether any answer is judged by its body.
    """

    def __init__(
        self,
        settings: ResponseSettings | None = None,
        records: str = "$",
        context: MappingContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Take `source.response`, the records' path, the clock, and how large bodies may be.

        Raises:
            ConfigurationError: an expression has mistakes.
        """
        self.settings = settings = settings or ResponseSettings()
        self.decoding = Decoding(settings, records, limits or Limits())
        clock = context or MappingContext(datetime.now(UTC))
        self._success = _compiled(settings.success, clock)
        self._retry = _compiled(settings.retry, clock)
        self._unauthorized = _compiled(settings.unauthorized, clock)
        self._failed = _compiled(settings.failed, clock)
        self.judges = any((self._success, self._retry, self._unauthorized))
        self._last: tuple[Answer | None, Any] = (None, None)
        self.rejects = self._failed is not None or settings.broken == "reject"

    def projected(self, projection: Projection) -> Answers:
        """Return what reads the same answers, with records decoded as far as they are read."""
        answers = copy(self)
        answers.decoding = self.decoding.projected(projection)
        return answers

    def accept(self, api: RestApi) -> str | None:
        """Return the Accept header for a format that is not JSON; the connection's own wins."""
        own = any(name.lower() == "accept" for name in api.headers)
        return None if own else self.decoding.accept

    def refuses_credentials(self, answer: Answer) -> bool:
        """Whether the body says that the credentials are refused, whatever the status."""
        return self._unauthorized is not None and self._holds(
            self._unauthorized, self._tried(answer)
        )

    def judge(self, answer: Answer, label: Callable[[], str]) -> Verdict | None:
        """Return what is wrong with an answer although, or besides what, its status says.

        Raises:
            ApiAnswerError: a successful answer's body cannot be decoded, or `success` not be
                evaluated: nothing is taken for a success that was not understood.
        """
        status = answer.status
        if not self.judges or status == 204:
            return None
        good = 200 <= status < 300
        body = self.decode(answer) if good else self._tried(answer)
        if self._retry is not None and self._holds(self._retry, body):
            told = self._told("The API asks to try again later (response.retry)", body)
            return Verdict(ApiUnavailableError(told, request=label()), repeat=True)
        if self._unauthorized is not None and self._holds(self._unauthorized, body):
            told = self._told("The API refused the credentials (response.unauthorized)", body)
            advice = "Verify the API credentials."
            return Verdict(CredentialsError(told, advice=advice, request=label()))
        if good and self._success is not None and not self._evaluated(self._success, body):
            told = self._told(f"The API answered {status}, but no success (response.success)", body)
            advice = "Check the request against the vendor's documentation."
            return Verdict(ApiAnswerError(told, advice=advice, request=label()))
        return None

    def decode(self, answer: Answer) -> Any:
        """Return the body's value, null for 204.

        Raises:
            ApiAnswerError: it is damaged, or in another format.
        """
        if answer.status == 204:
            return None
        if self._piecewise(answer):
            return next(self._pieces(answer)).value  # what is judged; it is read by `parts`
        known, value = self._last
        if known is not answer:
            value = self.decoding.decode(answer.content, answer.headers, answer.url)
            if self.judges:  # it is asked for again when the answer is read
                self._last = (answer, value)
        return value

    def parts(self, answer: Answer) -> Iterator[tuple[Any, int, bool]]:
        """Yield the body's value, or its pieces with a thousand records each.

        With each comes its size in bytes, and whether it is the last. Raises as `decode`.
        """
        if not self._piecewise(answer):
            yield self.decode(answer), len(answer.content), True
            return
        with answer.file or nullcontext():
            pieces = self._pieces(answer)
            ahead = next(pieces)
            for piece in pieces:
                yield ahead.value, ahead.size, False
                ahead = piece
            yield ahead.value, ahead.size, True

    def _piecewise(self, answer: Answer) -> bool:
        """Whether a body is read piece by piece: a large one, or a packed one, which may be."""
        packed = self.decoding.in_pieces and is_packed(answer.content[:4])
        return packed or answer.file is not None

    def _pieces(self, answer: Answer) -> Iterator[Piece]:
        lent: BinaryIO = io.BytesIO(answer.content)
        if answer.file is not None:
            answer.file.seek(0)
            # A file of its own is closed with its reader; the spool stays open.
            lent = os.fdopen(os.dup(answer.file.fileno()), "rb")
        return self.decoding.pieces(lent, answer.headers, answer.url)

    def sorted_out(self, records: Sequence[Any]) -> tuple[Sequence[Any], list[Reject]]:
        """Return the records, and those that are errors or could not be read, as rejects."""
        kept: list[int] = []
        rejects: list[Reject] = []
        for place, record in enumerate(records):
            problem = self._problem(record)
            if problem is None:
                kept.append(place)
            else:
                plain = dict(record) if isinstance(record, BrokenRecord) else record
                rejects.append(Reject(plain, [problem]))
        return picked(records, kept), rejects

    def _problem(self, record: Any) -> Problem | None:
        if isinstance(record, BrokenRecord):
            return Problem(None, "format", record.reason)
        if self._failed is None:
            return None
        try:
            if not self._failed(record):
                return None
        except RecordRejectedError as error:
            return Problem(None, "failed", error.message)
        said = message_of(record, self.settings.failed_message)
        return Problem(None, "failed", f"The API says: {said}" if said else "The API failed it.")

    def _holds(self, predicate: Predicate, body: Any) -> bool:
        try:
            return bool(predicate(body))
        except RecordRejectedError:
            return False

    def _evaluated(self, predicate: Predicate, body: Any) -> bool:
        try:
            return bool(predicate(body))
        except RecordRejectedError as error:
            raise ApiAnswerError(
                f"response.success cannot be evaluated: {error.message}",
                advice="Correct the expression.",
            ) from None

    def _tried(self, answer: Answer) -> Any:
        try:
            return self.decode(answer)
        except ApiAnswerError:
            return None

    def _told(self, what: str, body: Any) -> str:
        said = message_of(body, self.settings.error)
        return f"{what}: {said}" if said else f"{what}."


def message_of(value: Any, path: str | None) -> str:
    """Return the vendor's message inside a value: one redacted line of at most 200 characters.

    Args:
        value: a decoded body, or an item of it.
        path: where the message is; None: wherever vendors usually put one.
    """
    found = value if path is None else compile_path(path).first(value)
    if isinstance(found, str | int | float) and path is not None:
        found = str(found)
    try:
        return vendor_message(msgspec.json.encode(found), "application/json")
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return ""


def _compiled(text: str | None, context: MappingContext) -> Predicate | None:
    try:
        return None if text is None else compile_expression(text, context)
    except ConfigurationError as error:
        error.advice = "Correct the expressions of source.response."
        raise
