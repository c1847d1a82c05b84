"""Telling a page by the text of its records, before they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, reduce
from hashlib import blake2b
from operator import getitem
from typing import Any, Final, NamedTuple

import msgspec

from astrio.tasks.answers import Answers
from astrio.tasks.decode.envelope import Envelope
from astrio.tasks.decode.projection import declares_another
from astrio.tasks.http.answer import Answer
from astrio.tasks.paths import compile_path
from astrio.tasks.unchanged.known import KnownPages

DIGEST_BYTES: Final = 16
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)


class Unread(list[Any]):
    """A list of records that is known by its length alone, until somebody looks at a record."""

    def __init__(self, length: int, decode: Callable[[], Sequence[Any]]) -> None:
        """Take how many there are, and what decodes them."""
        super().__init__([None] * length)
        self._decode = decode

    @cached_property
    def whole(self) -> Sequence[Any]:
        """The records."""
        return self._decode()

    def __iter__(self) -> Iterator[Any]:
        """Yield the records."""
        return iter(self.whole)

    def __getitem__(self, place: Any) -> Any:
        """Return one record, or a part of them."""
        return self.whole[place]


class Look(NamedTuple):
    """What the text of an answer tells.

    Attributes:
        digest: of the records; empty: the answer is not of the plain kind.
        body: with `Unread` records, where they are known; None: it is to be decoded.
    """

    digest: bytes
    body: Any = None


class PageReader:
    """Looks at the answers of one reading before they are decoded."""

    def __init__(
        self, known: KnownPages, answers: Answers, records: str, keys: Sequence[str]
    ) -> None:
        """Take what is known, what else decodes answers, and where the records are in them."""
        self._known = known
        self._answers = answers
        self._records = compile_path(records)
        self._keys = tuple(keys)
        self._envelope = Envelope(keys, _RAW)

    def look(self, answer: Answer) -> Look:
        """Return the digest of an answer's records, and its body if they are known."""
        found = self._taken_apart(answer)
        if found is None:
            return Look(b"")
        body, text = found
        digest = blake2b(text, digest_size=DIGEST_BYTES).digest()
        page = self._known.find(digest)
        if page is None:
            return Look(digest)
        unread = Unread(page.fetched, lambda: self._decoded(answer))
        return Look(digest, self._filled(body, unread))

    def _taken_apart(self, answer: Answer) -> tuple[Any, Any] | None:
        content, headers = answer.content, answer.headers
        if answer.file is not None or not self._answers.decoding.is_plain(content, headers):
            return None
        if declares_another(headers.get("content-type", "")):
            return None
        try:
            return self._envelope.decode(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            return None

    def _filled(self, body: Any, records: Unread) -> Any:
        if not self._keys:
            return records
        *above, last = self._keys
        reduce(getitem, above, body)[last] = records
        return body

    def _decoded(self, answer: Answer) -> Sequence[Any]:
        return self._records.records(self._answers.decode(answer))
