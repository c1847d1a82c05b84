"""What the quarantine keeps of a rejected record: its content and its problems, encrypted.

Key, field, rule and reason stay in clear beside it, for the list. The content is a text of
`sealed:KEY:TOKEN`, where KEY names the key and says nothing about it. Rows of before are JSON in
clear; an empty text is content that was dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from astrio.tasks.batch import Reject
from astrio.tasks.ledger.sealing import VARIABLE, Keys, keys_in_effect

_SEALED: Final = "sealed"
DROPPED: Final = ""
_LOST: Final = "it was nested too deeply, or held numbers too long, to be kept"
_LARGE: Final = "it was larger than the database takes"


@dataclass(frozen=True, slots=True)
class Content:
    """What could be read back of a rejected record.

    Attributes:
        record: the source record.
        problems: all its problems; None: they cannot be told.
        missing: why the record is not there, None if it is.
        locked: it is there, but this machine has not the key.
    """

    record: Any = None
    problems: list[dict[str, Any]] | None = None
    missing: str | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """A rejected record on its way into the quarantine.

    Attributes:
        content: as it is stored.
        digest: tells it from others, by its record.
        whole: whether the record itself could be kept.
    """

    content: str
    digest: str
    whole: bool


def sealed(keys: Keys, reject: Reject, most: int | None = None) -> Sealed:
    """Encrypt a rejected record with its problems; `most` is how long that may be, in bytes."""
    problems = [problem.told() for problem in reject.problems]
    document: dict[str, Any] = {"problems": problems, "record": reject.record}
    try:
        text, known = _json(document), _json(reject.record, sort_keys=True)
        whole = True
    except (RecursionError, ValueError, TypeError):
        text, known = _json({"problems": problems, "lost": _LOST}), " ".join(_walk(reject.record))
        whole = False
    content = f"{_SEALED}:{keys.name}:{keys.seal(text)}"
    if most is not None and len(content) > most:
        text, whole = _json({"problems": problems, "lost": _LARGE}), False
        content = f"{_SEALED}:{keys.name}:{keys.seal(text)}"
    return Sealed(content, keys.digest("quarantine", known), whole)


def opened(content: str, problems: str) -> Content:
    """Read back what the columns `record` and `problems` of a row hold.

    Raises:
        ConfigurationError: the key of this machine cannot be used.
    """
    if content == DROPPED:
        return Content(missing="it was dropped some time after it was resolved or discarded")
    mark, _, rest = content.partition(":")
    if mark != _SEALED:
        return Content(json.loads(content), json.loads(problems))
    name, _, token = rest.partition(":")
    keys = keys_in_effect()
    text = keys.unseal(token)
    if text is None:
        return Content(
            missing=f"it was encrypted with another key ({name}; this machine's is {keys.name}): "
            f"set {VARIABLE} to the key of the machine that ran it, or to both of them, separated "
            "by a comma",
            locked=True,
        )
    document = json.loads(text)
    return Content(document.get("record"), document["problems"], document.get("lost"))


def _json(value: Any, *, sort_keys: bool = False) -> str:
    # Plain ASCII: whatever is wrong with the record's texts, it can be kept.
    return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    try:
        return msgspec.to_builtins(value)
    except TypeError:
        return str(value)


def _walk(value: Any) -> Iterator[str]:
    """Yield the parts of a value, however deep it is, so that it can be told from others."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield "{"
            waiting += [each for pair in part.items() for each in pair]
        elif isinstance(part, list | tuple):
            yield "["
            waiting += part
        else:
            yield hex(part) if isinstance(part, int) else repr(part)
