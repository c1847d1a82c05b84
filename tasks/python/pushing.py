"""What a function of the user's own is given to push, and what it says became of it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from astrio.blocks.errors import ConnectorError, RecordRejectedError
from astrio.blocks.redaction import redact
from astrio.tasks.mapping.values import kind
from astrio.tasks.python.context import read_secret
from astrio.tasks.python.references import Target
from astrio.tasks.python.telling import one_line, reason_of

Records = list[dict[str, Any]]
Fate = Literal["written", "unchanged"]
WRITTEN: Final = "written"
UNCHANGED: Final = "unchanged"

# Prefect takes what is logged here into the run's log, without Prefect being imported here.
_logger: Final = logging.getLogger("prefect.task_runs")


class RejectRecordError(RecordRejectedError):
    """Raised by a function that pushes: one record cannot be taken, and goes to the quarantine.

    Attributes:
        record: the record, or its place in the list; None: the only one.
        field: the field that is to blame.
        place: its place, once that is known.
    """

    place: int = -1

    def __init__(
        self, reason: str, *, record: dict[str, Any] | int | None = None, field: str | None = None
    ) -> None:
        """Take why, which record, and which of its fields."""
        super().__init__(reason)
        self.record = record
        self.field = field


@dataclass(frozen=True, slots=True)
class Rejected:
    """The fate of a record that was not taken: it goes to the quarantine."""

    reason: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class PushContext:
    """What a function that pushes is called with, beside the records.

    Attributes:
        chunk: names these records; when they have to be given once more, as nobody could tell
            whether they had been taken, they have the same name: an idempotency key.
        run: the run's id.
        integration: its name.
        key: the fields that identify a record, if the file names any.
        dry_run: nothing may be changed; only functions of `rehearse: true` see it.
        now: when the run started, with its zone.
    """

    chunk: str
    run: str
    integration: str
    key: tuple[str, ...] = ()
    dry_run: bool = False
    now: datetime | None = None

    @property
    def logger(self) -> logging.Logger:
        """The run's log, which the Prefect UI shows; secrets in it are masked."""
        return _logger

    def note(self, text: str) -> None:
        """Write a line into the run's log; secrets in it are masked."""
        _logger.info("%s", redact(text))

    def secret(self, reference: str) -> str:
        """Return the value of `${env:NAME}` or `${secret:NAME}`; no output of astrio shows it.

        Raises:
            ConfigurationError: it is no such reference, or there is no such variable or secret.
        """
        return read_secret(reference)


Function = Callable[..., Any]
Await = Callable[[Awaitable[Any]], Any]


class Pushing:
    """Calls one function with records, and reads what it says of them."""

    def __init__(self, target: Target, function: Function, wait_for: Await) -> None:
        """Take the function, and what waits for the end of one that is async.

        Args:
            target: what the reference stands for.
            function: see `astrio.tasks.python.references.push_function`.
            wait_for: returns the result of an awaitable.
        """
        self._target = target
        self._function = function
        self._wait_for = wait_for

    def __call__(self, records: Records, context: PushContext) -> list[Fate | Rejected]:
        """Return what became of each record.

        Raises:
            RejectRecordError: one of them cannot be taken; nobody knows of the others.
            ConnectorError: the function raised something else, or did not say what it was asked.
        """
        try:
            told = self._function(records, context)
            if inspect.isawaitable(told):
                told = self._wait_for(told)
        except RecordRejectedError as error:
            raise _placed(error, records, self._target) from error
        except (Exception, SystemExit) as error:
            reason = reason_of(error, self._target.file)
            raise ConnectorError(
                f"`{self._target.reference}` took none of {len(records)} records: {reason}.",
                advice="The next run gives them to it again, under the same chunk id.",
            ) from error
        return self._fates(told, len(records))

    def _fates(self, told: Any, count: int) -> list[Fate | Rejected]:
        if told is None:
            return [WRITTEN] * count
        if not isinstance(told, Sequence) or isinstance(told, str):
            raise self._unclear(f"returned {kind(told)}")
        if len(told) != count:
            raise self._unclear(f"told of {len(told)} records, and was given {count}")
        return [self._fate(each) for each in told]

    def _fate(self, told: Any) -> Fate | Rejected:
        if told is None or told == WRITTEN:
            return WRITTEN
        if told == UNCHANGED:
            return UNCHANGED
        if isinstance(told, Rejected):
            return Rejected(one_line(told.reason), told.field)
        if isinstance(told, RecordRejectedError):
            return Rejected(one_line(told.message), getattr(told, "field", None))
        raise self._unclear(f"said of a record {kind(told)}")

    def _unclear(self, words: str) -> ConnectorError:
        at = f" ({self._target.place})" if self._target.place else ""
        return ConnectorError(
            f"`{self._target.reference}` {words}{at}.",
            advice="Return nothing, or for each record None, 'written', 'unchanged' or "
            "Rejected(reason).",
        )


def _placed(error: RecordRejectedError, records: Records, target: Target) -> Exception:
    """Return the error with its record's place, or one that says that it must have one."""
    record = getattr(error, "record", None)
    places = [at for at, each in enumerate(records) if each is record]
    if isinstance(record, int) and 0 <= record < len(records):
        places = [record]
    if record is None and len(records) == 1:
        places = [0]
    if not places:
        return ConnectorError(
            f"`{target.reference}` raised {type(error).__name__} for none of the "
            f"{len(records)} records that it was given.",
            advice="Name it: raise RejectRecordError(reason, record=record); or let `size: 1` in "
            "push.to give one record at a time.",
        )
    field = getattr(error, "field", None)
    placed = RejectRecordError(one_line(error.message), field=field)
    placed.place = places[0]
    return placed
