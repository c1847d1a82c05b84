"""httpx.Auth objects that set a header or a query parameter; imported only when sending."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import httpx


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
        request.url = request.url.copy_set_param(self._name, self._value)
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
