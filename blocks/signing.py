"""httpx.Auth objects that set headers, a query parameter or a cookie; imported when sending."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from urllib.parse import quote, unquote_plus

import httpx


def replace_query(
    url: httpx.URL, names: Collection[str], items: Iterable[tuple[str, str]]
) -> httpx.URL:
    """Return the URL without the parameters of these names and with these items added.

    The other parameters keep their place and their very spelling, which signed links rely on.
    """
    parts = url.query.decode("ascii").split("&")
    kept = [part for part in parts if part and unquote_plus(part.partition("=")[0]) not in names]
    kept += [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in items]
    return url.copy_with(query="&".join(kept).encode("ascii") or None)


class SetHeaders(httpx.Auth):
    """Sets headers, replacing those of the same name."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Take the headers with their secrets resolved."""
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        request.headers.update(self._headers)
        yield request


class SetQuery(httpx.Auth):
    """Sets a query parameter, replacing one of the same name."""

    def __init__(self, name: str, value: str) -> None:
        """Take the parameter with its secret resolved."""
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        request.url = replace_query(request.url, (self._name,), [(self._name, self._value)])
        yield request


class AddCookie(httpx.Auth):
    """Adds a cookie to those that the request carries already."""

    def __init__(self, name: str, value: str) -> None:
        """Take the cookie with its secret resolved."""
        self._cookie = f"{name}={value}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request."""
        others = request.headers.get("cookie")
        request.headers["cookie"] = f"{others}; {self._cookie}" if others else self._cookie
        yield request
