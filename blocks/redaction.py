"""Keeping secrets out of every text that leaves astrio: messages, logs, reports, resume points.

Two nets: secrets that astrio has resolved are known and masked in every spelling they may take;
what merely looks like a secret (URL user info, `token=…`, `Authorization: …`, private keys, JSON
Web Tokens, well-known vendor prefixes) is masked by pattern.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"
_SHORTEST = 4
_SHORTEST_INSIDE_BASE64 = 8
_SHORTEST_LINE = 16

_POSITION = r"(?!(?:next|page|next[_-]?page|continuation|sync|cursor|skip)[_-]?token\b)"
_NAME = (
    rf"{_POSITION}[\w.-]{{0,40}}(?:token|secret|password|passwd|passphrase|pwd|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|assertion|signature|authorization|credential|cookie)"
    r"[\w.-]{0,40}"
)
_QUOTED = r"(?:(['\"])(?:\\.|(?!\3)[^\\])*\3|(\\+['\"])(?:(?!\4).)*\4)"
_PREFIXES = (
    r"(?:sk|rk|pk)_(?:live|test)_|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|"
    r"shp(?:at|ca|pa|ss)_|whsec_|SG\.|AKIA|ASIA"
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
            r"(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY-----|.*)",
            MASK,
        ),
        # User info: up to the last @ before the path; then a password that holds a / itself.
        (r"(?<=://)[^\s/?#'\"<>]{1,512}@", f"{MASK}@"),
        (r"(?<=://)[^\s/?#@:'\"<>]{0,256}:(?!\d{1,5}(?:[/?#]|$))[^\s'\"<>]{0,256}@", f"{MASK}@"),
        (
            r"((?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/)[\w/-]+",
            rf"\1{MASK}",
        ),
        (r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*", MASK),
        (rf"(?-i:\b(?:{_PREFIXES})[\w.-]{{8,}})", MASK),
        (
            r"(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)(\s*:\s*)[^\s'\"].*",
            rf"\1\2{MASK}",
        ),
        (
            r"\b(bearer|basic|digest)\s+(?!auth|token|credential|realm|scheme|access)[\w.~+/=-]{6,}",
            rf"\1 {MASK}",
        ),
        (rf"((\\*['\"]){_NAME}\2\s*[:=]\s*){_QUOTED}", rf"\1\3\4{MASK}\3\4"),
        (rf"((\\*['\"]){_NAME}\2\s*[:=]\s*)[\w.+-]+", rf"\1{MASK}"),
        (rf"\b(({_NAME})\s*[:=]\s*){_QUOTED}", rf"\1\3\4{MASK}\3\4"),
        (rf"\b({_NAME}=)[^&#\s'\",;<>\\]+", rf"\1{MASK}"),
        (r"(?<=[?&])(key|sig|code|auth)=[^&#\s'\"]*", rf"\1={MASK}"),
    )
)

_known: dict[str, None] = {}
_matchers: dict[int, re.Pattern[str]] = {}


def remember(secret: str) -> None:
    """Remember a secret, to be masked everywhere in each form it may be written in.

    The forms are percent-encoded, base64 (also inside a longer text), JSON, Python and HTML
    escaped; of a text of many lines also each long line. Values shorter than four characters are
    left out: masking them would garble every text.
    """
    if len(secret) < _SHORTEST:
        return
    for form in _forms(secret):
        if len(form) >= _SHORTEST:
            _known.setdefault(form)


def redact(text: str) -> str:
    """Return `text` with known secrets and whatever looks like one masked."""
    if _known:
        text = _matcher().sub(MASK, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _matcher() -> re.Pattern[str]:
    """One pattern of all known forms, the longest first; built again when a secret is added."""
    forms = tuple(_known)
    if len(forms) not in _matchers:
        longest_first = sorted(forms, key=len, reverse=True)
        _matchers.clear()
        _matchers[len(forms)] = re.compile("|".join(map(re.escape, longest_first)))
    return _matchers[len(forms)]


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield secret.strip()
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), encoded)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield from _base64_forms(secret.encode())
    lines = secret.splitlines()
    yield from (
        line for line in lines[: len(lines) * (len(lines) > 1)] if len(line) >= _SHORTEST_LINE
    )


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Whole, and as it looks inside a longer base64 text, at each of the three alignments."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(secret).decode()
        yield whole
        yield whole.rstrip("=")
        if len(secret) >= _SHORTEST_INSIDE_BASE64:
            for offset, lead in enumerate((0, 2, 3)):
                inner = encode(b"\0" * offset + secret).decode().rstrip("=")
                whole_sextets = (offset + len(secret)) * 8 // 6
                yield inner[lead:whole_sextets]
