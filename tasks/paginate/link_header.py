"""The Link header leads to the next page (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop
from astrio.tasks.paginate.following import follow
from astrio.tasks.paginate.signs import linked_end

_TARGET = re.compile(r"[\s,]*<([^>]*)>")
_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?')


class LinkHeader(Paginator):
    r"""Pages by a link in the answer's headers.

    `GET /orders` answers `Link: <https://api.example.com/orders?page=2>; rel="next"`::

        paginate: {type: link_header}
    """

    durable: ClassVar[bool] = True
    type: Literal["link_header"] = "link_header"
    rel: str = Field(default="next", description="Relation of the link to follow.")

    def next(self, request: ApiRequest, answer: PageAnswer) -> ApiRequest | Stop:
        """Ask for the page that the link of this relation leads to."""
        links = parse_links(answer.headers.get("link", ""))
        following = next((url for url, rels in links if self.rel.lower() in rels), None)
        return linked_end(self, answer, following) or follow(request, answer.url, following)


def parse_links(header: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each link's target and its relations in lower case; the first `rel` counts.

    A link with an `anchor` is about another resource and is left out.
    """
    place = 0
    while target := _TARGET.match(header, place):
        place = target.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, place):
            place = parameter.end()
            name, quoted, token = parameter.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or ""
            parameters.setdefault(name.lower(), value)
        if "anchor" not in parameters:
            yield target.group(1), parameters.get("rel", "").lower().split()
