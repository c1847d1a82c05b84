"""S3 by botocore: a client from the settings, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from astrio.blocks.errors import (
    AstrioError,
    ConfigurationError,
    CredentialsError,
    DestinationBusyError,
    DestinationError,
)
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve

if TYPE_CHECKING:
    from astrio.tasks.destinations.files.s3_settings import S3Settings

try:
    from botocore import session as botocore_session
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionClosedError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )
    from botocore.exceptions import (
        ConnectionError as Unreachable,
    )
except ImportError:
    raise ConfigurationError(
        "Writing to S3 needs a package that is not installed.",
        advice="Install it: pip install 'astrio[aws]'.",
    ) from None

_ATTEMPTS: Final = 6
_CONNECT, _READ = 10, 60
_GONE: Final = ("NoSuchUpload", "NoSuchKey", "404")

_REFUSED: Final[dict[str, tuple[type[AstrioError], str, str]]] = {
    "NoSuchBucket": (
        DestinationError,
        "there is no such bucket",
        "Create it, or mend push.to.s3.bucket.",
    ),
    "InvalidBucketName": (
        DestinationError,
        "this is no bucket's name",
        "Mend push.to.s3.bucket.",
    ),
    "AccessDenied": (
        CredentialsError,
        "the credentials may not do that",
        "Allow them s3:PutObject, s3:AbortMultipartUpload, s3:GetObject and s3:ListBucket there.",
    ),
    "InvalidAccessKeyId": (
        CredentialsError,
        "the access key is not known",
        "Renew access_key_id and secret_access_key.",
    ),
    "SignatureDoesNotMatch": (
        CredentialsError,
        "the secret is not that of the access key",
        "Copy secret_access_key again; it may have lost a character.",
    ),
    "ExpiredToken": (
        CredentialsError,
        "the temporary credentials have expired",
        "Renew them, session_token too.",
    ),
    "InvalidToken": (
        CredentialsError,
        "the session token is not valid",
        "Renew the temporary credentials.",
    ),
    "RequestTimeTooSkewed": (
        CredentialsError,
        "this machine's clock differs from the store's by too much",
        "Set the clock right (NTP).",
    ),
    "PreconditionFailed": (
        DestinationError,
        "there is an object of that name already, and `mode: append` never replaces one",
        "Let the name hold {{run_id}} or {{run_time}}, or move that object.",
    ),
    "EntityTooLarge": (
        DestinationError,
        "the store takes no object of that size",
        "Let each run read less: see `incremental`, or --since and --until.",
    ),
}
_REGIONS: Final = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint")


class Unanswered(DestinationBusyError):  # noqa: N818 (a state, told as an error where it matters)
    """No answer came, or none that tells whether it was done."""


def client_of(settings: S3Settings) -> Any:
    """Return a client of botocore's.

    Raises:
        ConfigurationError: a variable is not set, or AWS's own settings are wrong.
    """
    keys = {
        "aws_access_key_id": settings.access_key_id,
        "aws_secret_access_key": settings.secret_access_key,
        "aws_session_token": settings.session_token,
        "region_name": settings.region,
        "endpoint_url": settings.endpoint_url,
    }
    given: dict[str, Any] = {name: resolve(text) for name, text in keys.items() if text}
    elsewhere = bool(settings.endpoint_url)
    in_path = elsewhere if settings.path_style is None else settings.path_style
    # Other stores know nothing of the checksums that AWS's own clients add.
    checksums = "when_required" if elsewhere else "when_supported"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if in_path else "virtual"},
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT,
        read_timeout=_READ,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    if elsewhere:
        given.setdefault("region_name", "us-east-1")
    try:
        return botocore_session.get_session().create_client("s3", config=config, **given)
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"S3 cannot be used: {redact(str(error))}") from None


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn every error of botocore into one of astrio's that says what to do about `name`.

    Raises:
        Unanswered: it is not known whether it was done.
        AstrioError: it was not done.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise meaning(error, name) from None  # a cause may hold what must not be logged


def code_of(error: Exception) -> str:
    """Return the store's own word for an error, empty if it did not answer."""
    response = error.response if isinstance(error, ClientError) else {}
    return str(response.get("Error", {}).get("Code", ""))


def is_gone(error: Exception) -> bool:
    """Whether the store says that there is no such upload, or no such object."""
    return code_of(error) in _GONE


def meaning(error: Exception, name: str) -> AstrioError:
    """Return what an error of botocore means."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CredentialsError(
            f"{name} cannot be written: there are no credentials.",
            advice="Give access_key_id and secret_access_key in push.to.s3, or AWS_ACCESS_KEY_ID "
            "and AWS_SECRET_ACCESS_KEY in the environment.",
        )
    code = code_of(error)
    if code in _REFUSED:
        kind, why, advice = _REFUSED[code]
        return kind(f"{name} cannot be written: {why} ({code}).", advice=advice)
    if code in _REGIONS:
        return DestinationError(
            f"{name} cannot be written: the bucket is in another region ({code}).",
            advice="Set push.to.s3.region to the bucket's.",
        )
    status = _status(error)
    lost = isinstance(error, HTTPClientError | ConnectionClosedError | Unreachable)
    if lost or status >= 500 or status in (409, 429):
        words = code or type(error).__name__
        return Unanswered(
            f"The store of {name} does not answer as it should ({words}).",
            advice="Check the endpoint and the network, then run again.",
        )
    words = redact(str(error))
    return DestinationError(f"{name} cannot be written: {words}")


def _status(error: Exception) -> int:
    response = error.response if isinstance(error, ClientError) else {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
