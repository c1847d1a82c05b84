from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from astrio.blocks.webhooks.documents import Documents
from astrio.blocks.webhooks.schemes.base import Outgoing, Received, Scheme, Verdict

KEYS = "https://vendor.example/keys/"


class NeedsDocument(Scheme):
    """Accepts a request whose body stands in the document that it names."""

    type: Literal["needs-document"] = "needs-document"

    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        if received.url not in received.documents:
            return Verdict(False, "document", wants=received.url)
        if received.body == b"new key" and received.body not in received.documents[received.url]:
            return Verdict(False, "document", wants=received.url)
        fits = received.body in received.documents[received.url]
        return Verdict(fits, "" if fits else "signature")

    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        raise NotImplementedError


@dataclass
class Vendor:
    """Serves documents, and counts who asks."""

    content: bytes | None = b"key"
    now: float = 1000.0
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes | None:
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.content

    def documents(self) -> Documents:
        return Documents(self.fetch, lambda: self.now)


async def judge(documents: Documents, body: bytes = b"key", name: str = "1") -> Verdict:
    received = Received("POST", KEYS + name, [], body)
    return await documents.judge(NeedsDocument(), received, [], 0.0)


async def test_a_document_is_fetched_once_for_many_requests() -> None:
    vendor = Vendor()
    documents = vendor.documents()
    verdicts = await asyncio.gather(*(judge(documents) for _ in range(20)))
    assert all(verdict.accepted for verdict in verdicts)
    assert (await judge(documents, b"other")).reason == "signature"
    assert vendor.asked == [f"{KEYS}1"]


async def test_a_document_is_fetched_anew_after_an_hour() -> None:
    vendor = Vendor()
    documents = vendor.documents()
    await judge(documents)
    vendor.now += 3601
    assert (await judge(documents)).accepted
    assert len(vendor.asked) == 2


async def test_a_key_that_is_not_known_is_looked_for_once_a_minute() -> None:
    vendor = Vendor()
    documents = vendor.documents()
    assert (await judge(documents, b"new key")) == Verdict(False, "signature")
    assert (await judge(documents, b"new key")) == Verdict(False, "signature")
    assert len(vendor.asked) == 1
    vendor.now += 61
    vendor.content = b"key, new key"
    assert (await judge(documents, b"new key")).accepted


async def test_what_cannot_be_had_is_told_apart_from_a_bad_signature() -> None:
    vendor = Vendor(content=None)
    documents = vendor.documents()
    for _ in range(3):
        assert (await judge(documents)) == Verdict(False, "document")
    assert len(vendor.asked) == 1
    vendor.now, vendor.content = vendor.now + 61, b"key"
    assert (await judge(documents)).accepted


async def test_a_failure_keeps_what_there_was() -> None:
    vendor = Vendor()
    documents = vendor.documents()
    await judge(documents)
    vendor.now, vendor.content = vendor.now + 61, None
    assert (await judge(documents, b"new key")).reason == "signature"
    assert (await judge(documents)).accepted


async def test_many_names_push_out_neither_memory_nor_what_is_good() -> None:
    vendor = Vendor()
    documents = vendor.documents()
    await judge(documents)
    vendor.content = None
    for number in range(200):
        vendor.now += 1
        await judge(documents, name=f"forged-{number}")
    assert len(documents._held) == 64
    vendor.content = b"other"
    assert (await judge(documents)).accepted


async def test_a_crowd_is_not_kept_waiting() -> None:
    vendor = Vendor(content=None)
    documents = vendor.documents()
    names = [str(number) for number in range(100)]
    verdicts = await asyncio.gather(*(judge(documents, name=name) for name in names))
    assert {verdict.reason for verdict in verdicts} == {"document"}
    assert len(vendor.asked) == 32
