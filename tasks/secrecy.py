"""Keeping secrets out of stored positions, and data from asking for secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from astrio.blocks.auth.base import Auth
from astrio.blocks.errors import ApiAnswerError
from astrio.blocks.signing import replace_query
from astrio.tasks.http.request import ApiRequest


class Secrecy:
    """Watches the requests that a source's answers lead to."""

    def __init__(self, first: ApiRequest, auth: Auth) -> None:
        """Take the first request, which alone comes from the file, and its authentication."""
        self._known = first.references()
        self._signed = set(auth.query_names())
        self._secret_params = {
            name: value for name, value in first.params.items() if _refers(first, name, value)
        }

    def check(self, request: ApiRequest) -> None:
        """Refuse a request that refers to a secret which the file does not send.

        A cursor or link that holds `${env:NAME}` would otherwise carry off any variable.

        Raises:
            ApiAnswerError: it does.
        """
        if not request.references() <= self._known:
            raise ApiAnswerError(
                "The API's cursor or link asks for one of this machine's variables; it was not "
                "followed.",
                advice="Do not trust this API before its vendor has explained it.",
            )

    def hide(self, request: ApiRequest) -> ApiRequest:
        """Return the request without secrets that an API repeated in its link.

        What the authentication sets is dropped, since it is set anew when sent; a parameter that
        the file takes from a variable is put back as that reference.

        Raises:
            ApiAnswerError: see `check`.
        """
        self.check(request)
        names = self._signed | self._secret_params.keys()
        if not names or "?" not in request.url:
            return request
        url = httpx.URL(request.url)
        found = [name for name in url.params if name in names]
        if not found:
            return request
        params = {name: self._secret_params[name] for name in found if name in self._secret_params}
        return replace(
            request,
            url=str(replace_query(url, found, ())),
            params={**request.params, **params},
        )


def refuse_references(request: ApiRequest, known: frozenset[tuple[str, str]]) -> None:
    """Refuse a request into which an API's data has brought a reference to a secret.

    Args:
        request: as filled in from the data.
        known: the references that the file itself holds.

    Raises:
        ApiAnswerError: it refers to another one.
    """
    if not request.references() <= known:
        raise ApiAnswerError(
            "The API's data asks for one of this machine's variables; it was not sent.",
            advice="Do not trust this API before its vendor has explained it.",
        )


def _refers(request: ApiRequest, name: str, value: Any) -> bool:
    probe: Mapping[str, Any] = {name: value}
    return bool(replace(request, url="", params=probe, headers={}, body=None).references())
