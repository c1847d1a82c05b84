"""Following a link to the next page (RFC 3986, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.shapes import describe


def follow(request: ApiRequest, base: str, link: Any) -> ApiRequest:
    """Return the request for a link; its query holds everything, so parameters are dropped.

    Whether the link's origin may be asked at all is for the client to judge.

    Raises:
        ApiAnswerError: the link is no URL.
    """
    if not isinstance(link, str):
        raise ApiAnswerError(
            f"The link to the next page is {describe(link)}, not a URL.",
            advice="Check the path in paginate.next.",
        )
    try:
        url = urljoin(base, link)
    except ValueError:
        raise ApiAnswerError("The link to the next page is no URL.") from None
    return replace(request, url=url, params={})
