"""strip_html: the text of a piece of HTML: no tags, no comments, no scripts and styles.

Tags are found as browsers find them (WHATWG, *Tokenization*), in linear time however malformed the
markup is. Character references become characters, `&lt;b&gt;` too, and tags that appear by this
are taken out as well. A `<` that is left and could begin a tag gets a blank after it: no browser
finds markup in the result, whatever was given.
"""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"<(?:!--|[!?]|/?([A-Za-z][^\s/>]*)|/(?=[^>]))")
_COMMENT_END = re.compile(r"--!?>")
_IN_TAG = re.compile(r">|=[\t\n\f\r ]*([\"'])")
_OPENS = re.compile(r"<(?=[A-Za-z/!?])")
_BLOCKS = """
address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
h5 h6 header hr li main nav ol option p pre section table td th tr ul
"""
_BREAKS = frozenset(_BLOCKS.split())
_UNSEEN = frozenset(["iframe", "noembed", "noframes", "script", "style", "title", "xmp"])


def sanitize(text: str) -> str:
    """Strip."""
    if "<" in text:
        text = _without_tags(text)
    if "&" in text:
        text = unescape(text)
        if "<" in text:
            text = _without_tags(text)
    return _OPENS.sub("< ", text) if "<" in text else text


def _without_tags(text: str) -> str:
    parts: list[str] = []
    place = 0
    while (tag := _TAG.search(text, place)) is not None:
        name = (tag[1] or "").lower()
        closing = text.startswith("</", tag.start())
        end = _end(text, tag)
        if end < 0:  # it never ends, so it is no tag
            break
        parts.append(text[place : tag.start()])
        if name in _BREAKS:
            parts.append(" ")
        if name in _UNSEEN and not closing:
            end = _end_of_unseen(text, name, end)
        place = end
    parts.append(text[place:])
    return "".join(parts)


def _end(text: str, tag: re.Match[str]) -> int:
    """Return where a tag or comment ends, -1 if it does not."""
    if tag[0] == "<!--":
        if text.startswith((">", "->"), tag.end()):
            return text.index(">", tag.end()) + 1
        found = _COMMENT_END.search(text, tag.end())
        return -1 if found is None else found.end()
    if tag[1] is None:
        return text.find(">", tag.end()) + 1 or -1
    place = tag.end()
    while (found := _IN_TAG.search(text, place)) is not None:
        if found[1] is None:
            return found.end()
        place = text.find(found[1], found.end()) + 1
        if place == 0:
            break
    return -1


def _end_of_unseen(text: str, name: str, start: int) -> int:
    """Return where a script or the like ends; it takes all that follows if it does not."""
    end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, start)
    return len(text) if end is None else end.start()
