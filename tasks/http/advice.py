"""From an HTTP status to an error that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from astrio.blocks.errors import (
    ApiAnswerError,
    ApiUnavailableError,
    AstrioError,
    CredentialsError,
)
from astrio.tasks.http.excerpt import vendor_message

_ADVICE = {
    400: "Check the request's params, headers and body.",
    401: "Verify the API credentials.",
    403: "Check the API permissions: these credentials may not do this.",
    404: "Check base_url and path.",
    405: "Check request.method.",
    407: "A proxy on the way wants credentials; ask who runs it.",
    408: "The API gave up waiting; run again later.",
    409: "The request conflicts with the API's present state; run again later.",
    410: "The API has removed this; look for its successor in the vendor's documentation.",
    413: "Ask for less at once: smaller pages, fewer fields.",
    415: "The API takes another kind of body: body (JSON), form or text.",
    422: "The API understands the request but refuses its values: check params and body.",
    429: "Wait before running again, or run less often.",
}
_BY_CLASS = {
    3: "Put the final address into base_url and path.",
    4: "Check the request against the vendor's documentation.",
    5: "The fault is the API's: run again later, or contact the service provider.",
}


class RefusedError(ApiAnswerError):
    """The API refused the request with a status that stays until someone acts."""

    def __init__(self, message: str, *, advice: str, request: str | None, status: int) -> None:
        """Take the status beside what every error has."""
        super().__init__(message, advice=advice, request=request)
        self.status = status


class ForbiddenError(CredentialsError):
    """The API knows who asks, and forbids this request (403)."""

    status = 403


def status_error(
    status: int, content: bytes, content_type: str, request: str, own: Mapping[str, str]
) -> AstrioError:
    """Return the error for a status that is no success.

    Args:
        status: the HTTP status.
        content: the answer's body; at most the vendor's own error message is shown.
        content_type: of the body.
        request: the request, redacted.
        own: the integration's `errors:` texts by status; they replace the advice.
    """
    said = vendor_message(content, content_type)
    message = f"The API answered {status}{_phrase(status)}" + (f": {said}" if said else ".")
    advice = own.get(str(status)) or _ADVICE.get(status) or _BY_CLASS.get(status // 100, "")
    if status == 403:
        return ForbiddenError(message, advice=advice, request=request)
    if status == 401:
        return CredentialsError(message, advice=advice, request=request)
    if status in (408, 425, 429) or status >= 500:
        return ApiUnavailableError(message, advice=advice, request=request)
    return RefusedError(message, advice=advice, request=request, status=status)


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
