"""Where requests may go: below the base URL, and to hosts that the connection allows."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import httpx

from astrio.blocks.api import RestApi, check_base_url
from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.blocks.secrets import REFERENCE, resolve
from astrio.tasks.http.addresses import Endpoint, endpoint
from astrio.tasks.http.transport import STANDARD_PORTS, url_endpoint

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# Parsers disagree on what these mean inside an authority; no honest link holds them.
_TREACHEROUS = re.compile(r"[\\\s\x00-\x1f\x7f]")


class Origins:
    """The origins that a connection's credentials may be sent to (RFC 6454)."""

    def __init__(self, api: RestApi) -> None:
        """Fill in the base URL's references.

        Raises:
            ConfigurationError: a variable is missing, or the result is no base URL.
        """
        base = resolve(api.base_url).strip()
        try:
            check_base_url(base)
        except ValueError as error:
            raise ConfigurationError(
                f"The connection's base_url cannot be used: {error}."
            ) from None
        self.base = httpx.URL(base)
        self._text = base.rstrip("/")
        self._private = frozenset(api.allow_private_hosts)
        self._allowed = self._private | frozenset(api.allow_hosts)
        self._last: tuple[str, httpx.URL] | None = None

    def endpoints(self) -> set[Endpoint]:
        """Return what the operator configured, which may lie in a private network."""
        return {url_endpoint(self.base)} | {
            endpoint(parts.hostname or "", port)
            for host in self._private
            for parts in [urlsplit(f"//{host}")]
            for port in ([parts.port] if parts.port else STANDARD_PORTS.values())
        }

    def resolve(self, url: str) -> httpx.URL:
        """Return the absolute URL of a path below the base, or of an absolute link.

        Raises:
            ConfigurationError: the path climbs out of the base.
            ApiAnswerError: the link leads to another host, which would see the credentials.
        """
        return self.follow(self.base, url) if _ABSOLUTE.match(url) else self._below(url)

    def follow(self, base: httpx.URL, link: str) -> httpx.URL:
        """Return where a link leads that `base` answered with (RFC 3986, section 5).

        Raises:
            ApiAnswerError: it is no URL, or leads to another host, which would see the credentials.
        """
        try:
            target = base.join(link).copy_with(fragment=None)
        except httpx.InvalidURL:
            target = None
        if target is None or target.userinfo or _TREACHEROUS.search(link):
            raise ApiAnswerError(
                "The API's link cannot be followed: it is no plain URL.",
                advice="Check the path of the link, or ask the vendor.",
            )
        if not self._is_allowed(target):
            raise self._refused(target)
        return target

    def _below(self, path: str) -> httpx.URL:
        path = REFERENCE.sub(lambda match: quote(resolve(match.group()), safe=""), path)
        if self._last is not None and self._last[0] == path:
            return self._last[1]  # most requests of a run have the same path
        self._last = (path, self._parsed(path))
        return self._last[1]

    def _parsed(self, path: str) -> httpx.URL:
        bare = path.partition("?")[0]
        if any(unquote(part) in (".", "..") for part in re.split(r"[/\\]", bare)):
            raise ConfigurationError(
                "The request's path holds a segment . or .., which would lead elsewhere.",
                advice="Write the whole path in request.path, and check the values filled in.",
            )
        path = path.lstrip("/")
        joint = "" if not path or path.startswith("?") else "/"
        base = self._text if path else str(self.base)
        try:
            return httpx.URL(base + joint + path).copy_with(fragment=None)
        except httpx.InvalidURL as error:
            raise ConfigurationError(f"The request's path cannot be sent: {error}.") from None

    def _is_allowed(self, url: httpx.URL) -> bool:
        if url.scheme not in STANDARD_PORTS or (
            self.base.scheme == "https" and url.scheme != "https"
        ):
            return False
        if _address(url) == _address(self.base):
            return url.scheme == self.base.scheme
        host, port = _address(url)
        standard = port == STANDARD_PORTS[url.scheme]
        return f"{host}:{port}" in self._allowed or (standard and host in self._allowed)

    def _refused(self, url: httpx.URL) -> ApiAnswerError:
        wanted, known = _shown(url), _shown(self.base)
        if url.host == self.base.host:
            advice = f"If that is right, set base_url to {wanted}."
        else:
            advice = f"If {url.host} belongs to the same API, list it in allow_hosts."
        return ApiAnswerError(
            f"The API leads from {known} to {wanted}; credentials are not sent there.",
            advice=advice,
        )


def _address(url: httpx.URL) -> tuple[str, int | None]:
    return url.host.lower().rstrip("."), url.port or STANDARD_PORTS.get(url.scheme)


def _shown(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
