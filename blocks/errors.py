"""Every error astrio raises, grouped by what can be done about it.

    AstrioError
    ├── ConfigurationError        fix the file, the variable or the command; nothing was sent
    ├── CredentialsError          re-authorise: the API refused who we are
    ├── RecordRejectedError       one record breaks the mapping or a rule: quarantine, go on
    ├── RetryableError            wait, then run again; the state is kept
    │   ├── ApiUnavailableError       the API is down, slow or over its limit
    │   │   ├── OutcomeUnknownError       it may have carried out what must not be sent twice
    │   │   └── WaitTooLongError          it asks for a longer wait than the run may spend
    │   ├── DestinationBusyError      the database is locked, full or unreachable
    │   ├── ServerUnavailableError    the Prefect server does not answer
    │   └── LeaseHeldError            another run of the same stream is at work
    └── FatalError                stop: running again changes nothing until someone acts
        ├── ApiAnswerError            the API's answer cannot be used
        ├── ConnectorError            the project's own Python failed
        ├── DestinationError          the destination refuses what is written
        ├── ContractError             a record does not fit the table, which is frozen
        ├── QualityError              the figures of a field cross a threshold of the file
        ├── TooManyRejectsError       more records were rejected than the file allows
        ├── TooManyVanishedError      more rows would be deleted than the file allows
        └── ImbalanceError            the records do not add up

Each message says what happened and where, `advice` what to do next. Neither holds a secret or a
whole payload; `request` names the request (method, URL without secrets, page).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class AstrioError(Exception):
    """Base of all errors that astrio explains to its user."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, advice: str = "", request: str | None = None) -> None:
        """Take the message, what to do next, and the request concerned (already redacted)."""
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.request = request

    def __str__(self) -> str:
        """Return message, request and advice as one readable text."""
        where = f" [{self.request}]" if self.request else ""
        return f"{self.message}{where}" + (f" {self.advice}" if self.advice else "")


class ConfigurationError(AstrioError):
    """The file, a variable or the command line is wrong; nothing was sent."""

    kind = "configuration"
    exit_code = 2


class CredentialsError(AstrioError):
    """The API refused the credentials."""

    kind = "credentials"


class RecordRejectedError(AstrioError):
    """One record breaks an expression; it is quarantined and the run goes on.

    Attributes:
        offset: 0-based character of the expression's text where it fails, if that is known.
    """

    kind = "rejected"
    offset: int | None = None


class RetryableError(AstrioError):
    """A fault that passes by itself; a later run goes on from the last checkpoint."""


class ApiUnavailableError(RetryableError):
    """The API did not answer, or asked us to wait longer than the run may."""

    kind = "api"


class OutcomeUnknownError(ApiUnavailableError):
    """No answer came to a request that must not be sent twice; it may have been carried out."""

    kind = "unknown"


class WaitTooLongError(ApiUnavailableError):
    """The API asks for a longer wait than the run may spend; `until` is when it ends, UTC."""

    def __init__(
        self, message: str, *, advice: str = "", request: str | None = None, until: datetime
    ) -> None:
        """Take the end of the wait beside what every error has."""
        super().__init__(message, advice=advice, request=request)
        self.until = until


class DestinationBusyError(RetryableError):
    """The destination is locked, full, or cannot be reached."""

    kind = "destination"


class ServerUnavailableError(RetryableError):
    """The Prefect server does not answer."""

    kind = "server"


class LeaseHeldError(RetryableError):
    """Another run of the same stream is at work."""

    kind = "lease"


class FatalError(AstrioError):
    """A fault that stays until someone acts."""


class ApiAnswerError(FatalError):
    """The API answered with something that cannot be used."""

    kind = "api"


class ConnectorError(FatalError):
    """The project's own Python raised an error, or yielded what is no record."""

    kind = "connector"


class DestinationError(FatalError):
    """The destination refuses what is to be written."""

    kind = "destination"


class ContractError(FatalError):
    """A record does not fit the table, which `push.contract` keeps as it is."""

    kind = "contract"


class QualityError(FatalError):
    """The figures of a run's fields cross a threshold of `quality:`."""

    kind = "quality"


class TooManyRejectsError(FatalError):
    """More records were rejected than `maxRejected` allows."""

    kind = "rejected"


class MissingParentsError(TooManyRejectsError):
    """The API has no children to read for too many parents; the account stays as it is."""

    kind = "api"


class TooManyVanishedError(FatalError):
    """More rows would be marked or deleted than `push.vanished` allows at once."""

    kind = "vanished"


class ImbalanceError(FatalError):
    """The records do not add up, or differ from what the API claims."""

    kind = "imbalance"
