"""Paginators that an answer speaks for, the most telling first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from astrio.blocks.redaction import redact
from astrio.tasks.detection.signs import Sign, signs_in
from astrio.tasks.paginate.link_header import parse_links

_LINKS: Final = re.compile(r"next(url|link|href|uri|page|pageurl|pagelink|pageuri)?|odatanextlink")
# What the parameter is called that takes a token of such a name; "" is the token's own name.
_TOKENS: Final = {
    "nextcursor": ("cursor", "after", ""),
    "nextpagecursor": ("cursor", ""),
    "nextpagetoken": ("pageToken", "page_token"),
    "nexttoken": ("", "token"),
    "nextpage": ("page", "cursor"),
    "endcursor": ("after", "cursor"),
    "continuationtoken": ("",),
    "cursor": ("cursor",),
    "after": ("after",),
    "next": ("cursor", "after"),
    "nextoffset": ("offset",),
}
_MORE: Final = frozenset(
    ("hasmore", "more", "hasnext", "hasnextpage", "morerecords", "hasmoreitems")
)
_TOTALS: Final = re.compile(r"total(count|results|records|items|size|elements)?|numfound|count")
_PAGES: Final = frozenset(["page", "currentpage", "pagenumber", "pageno", "pageindex"])
_OFFSETS: Final = frozenset(["offset", "skip", "startindex"])
_USUAL_SIZES: Final = frozenset((10, 15, 20, 25, 30, 40, 50, 60, 100, 200, 250, 500, 1000))
_AFTER_LAST: Final = ("starting_after", "after")
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paginator, as the file would write it, and what speaks for it."""

    settings: dict[str, Any]
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What is known of the first page.

    Attributes:
        body: decoded.
        headers: looked up without regard to case.
        records: the page's records.
        path: where they are, as `source.records` writes it.
        params: the request's query parameters.
    """

    body: Any
    headers: Mapping[str, str]
    records: list[Any]
    path: str
    params: Mapping[str, Any]


def candidates(page: FirstPage) -> Iterator[Candidate]:
    """Yield the paginators that a first page speaks for."""
    signs = signs_in(page.body)
    yield from _by_header(page)
    yield from _by_link(signs)
    yield from _by_token(signs)
    more = next((sign for sign in signs if sign.word in _MORE and sign.value is True), None)
    if more is not None:
        yield from _after_the_last(page, more)
    yield from _counted(page, signs, more)


def ends(page: FirstPage) -> list[str]:
    """Return the signs that say that the first page is the only one."""
    signs = signs_in(page.body)
    none = (None, "", False)
    leads = (sign for sign in signs if sign.word in _TOKENS or _LINKS.fullmatch(sign.word))
    found = [sign for sign in leads if sign.value in none]
    found += [sign for sign in signs if sign.word in _MORE and sign.value is False]
    total = _total(page, signs)
    told = [f"{sign.path} is {_shown(sign.value)}" for sign in found]
    if total is not None and total.value == len(page.records):
        told.append(f"{total.path} is {total.value}, which is what the page holds")
    return told


def _by_header(page: FirstPage) -> Iterator[Candidate]:
    links = parse_links(page.headers.get("link", ""))
    if any("next" in rels for _, rels in links):
        yield Candidate({"type": "link_header"}, ['the Link header has rel="next"'])
    for name in ("X-Next-Page", "X-Next-Cursor"):
        value = page.headers.get(name)
        if value:
            param = "page" if name == "X-Next-Page" else "cursor"
            settings = {"type": "cursor", "param": param, "next_header": name}
            yield Candidate(settings, [f"the header {name} is {_shown(value)}"])


def _by_link(signs: list[Sign]) -> Iterator[Candidate]:
    for sign in signs:
        if _LINKS.fullmatch(sign.word) and sign.is_link:
            told = f"the body has a link at {sign.path}: {_shown(sign.value)}"
            yield Candidate({"type": "next_url", "next": sign.path}, [told])


def _by_token(signs: list[Sign]) -> Iterator[Candidate]:
    for sign in signs:
        if sign.word in _TOKENS and sign.is_token:
            told = f"the body has {_shown(sign.value)} at {sign.path}"
            for name in _TOKENS[sign.word]:
                settings = {"type": "cursor", "param": name or sign.key, "next": sign.path}
                yield Candidate(settings, [told])


def _after_the_last(page: FirstPage, more: Sign) -> Iterator[Candidate]:
    last = page.records[-1] if page.records else None
    if not isinstance(last, dict) or "id" not in last:
        return
    path = page.path.removesuffix("[*]")
    for param in _AFTER_LAST:
        settings = {
            "type": "cursor",
            "param": param,
            "next": f"{path}[-1].id",
            "has_more": more.path,
        }
        told = f"{more.path} is true, and the last record has an id"
        yield Candidate(settings, [told])


def _counted(page: FirstPage, signs: list[Sign], more: Sign | None) -> Iterator[Candidate]:
    """Yield numbered pages and offsets, if something says that there is more."""
    total = _total(page, signs)
    told = []
    extra: dict[str, Any] = {}
    if total is not None and total.value > len(page.records):
        extra["total"] = total.path
        told.append(f"{total.path} is {total.value}, and the page holds {len(page.records)}")
    if more is not None:
        extra["has_more"] = more.path
        told.append(f"{more.path} is true")
    if not told and len(page.records) in _USUAL_SIZES:
        told.append(f"the page holds {len(page.records)} records, a usual size of pages")
    if not told:
        return
    found = {sign.word: sign for sign in signs if isinstance(sign.value, int)}
    offset = _named(page, found, _OFFSETS)
    number = _named(page, found, _PAGES)
    numbered = _candidate("page_number", number, found, {**extra}, told)
    by_offset = _candidate("offset", offset, found, {**extra}, told)
    yield from (by_offset, numbered) if offset and not number else (numbered, by_offset)


def _candidate(
    kind: str, name: str | None, found: Mapping[str, Sign], extra: dict[str, Any], told: list[str]
) -> Candidate:
    usual = "page" if kind == "page_number" else "offset"
    settings: dict[str, Any] = {"type": kind, "param": name or usual, **extra}
    sign = next((each for each in found.values() if each.key == name), None)
    if sign is not None:
        told = [*told, f"{sign.path} is {sign.value}"]
        if kind == "page_number" and sign.value == 0:
            settings["start"] = 0
    return Candidate(settings, told)


def _named(page: FirstPage, found: Mapping[str, Sign], words: frozenset[str]) -> str | None:
    """Return the parameter's name as the request or the body writes it."""
    for name in page.params:
        if name.lower().replace("_", "") in words:
            return name
    sign = next((found[word] for word in found if word in words), None)
    return None if sign is None else sign.key


def _total(page: FirstPage, signs: list[Sign]) -> Sign | None:
    """Return the total; a `count` that equals the page's records may count just them."""
    for sign in signs:
        number = isinstance(sign.value, int) and not isinstance(sign.value, bool)
        if _TOTALS.fullmatch(sign.word) and number and sign.value >= len(page.records):
            if sign.word == "count" and sign.value == len(page.records):
                continue
            return sign
    return None


def _shown(value: Any) -> str:
    text = redact(str(value)) if isinstance(value, str | int) else "null"
    text = {"True": "true", "False": "false"}.get(text, text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
