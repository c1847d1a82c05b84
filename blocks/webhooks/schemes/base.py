"""What a signature scheme is: it judges what arrives, and signs what leaves.

A scheme sees the raw bytes, the raw headers, the configured public URL and a clock, nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from astrio.blocks.settings import Settings

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived.

    Attributes:
        method: such as POST.
        url: the configured public URL with the request's own query; never taken from `Host`.
        headers: every header in order, names in lower case, duplicates kept.
        body: the raw bytes.
    """

    method: str
    url: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a vendor wants to hear instead of 202, such as the answer to a challenge."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scheme says of a request.

    Attributes:
        accepted: whether it is genuine, fresh and whole.
        reason: why it is refused, one word or two for logs and metrics: `signature`, `timestamp`,
            `missing`, `duplicate_header`, `malformed`. Never told to the sender.
        delivery_id: the vendor's id of the delivery, None if the scheme has none.
        reply: the accepted request is a challenge; this answers it, and no event is stored.
    """

    accepted: bool
    reason: str = ""
    delivery_id: str | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request about to be sent.

    Attributes:
        id: of the delivery, the same over all attempts.
        timestamp: of this attempt, whole epoch seconds.
        url: where it goes.
        body: the raw bytes.
    """

    id: str
    timestamp: int
    url: str
    body: bytes
    method: str = "POST"
    content_type: str = "application/json"


class Scheme(Settings):
    """Base of all schemes: frozen settings without secrets, whose behaviour takes the secrets.

    To add one, write a module in this package with a subclass whose `type` is a Literal such as
    `standard-webhooks`, and its test, which inherits `tests/contracts/signature.py`.

    Attributes:
        tolerance: seconds that a timestamp may lie in the past or the future; None: the scheme
            has no clock, and only deduplication protects from replays.
        signs: whether `sign` can be used; some schemes only the vendor can sign.
    """

    tolerance: ClassVar[int | None] = None
    signs: ClassVar[bool] = True

    @abstractmethod
    def check_secret(self, secret: str) -> None:
        """Refuse what is no secret (or key) of this scheme.

        Raises:
            ValueError: what is wrong with it, without repeating it.
        """

    @abstractmethod
    def verify(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge a request; never raises, whatever arrives, and compares in constant time.

        Args:
            received: the request.
            secrets: every live secret, newest first; one of them must fit.
            now: epoch seconds.
        """

    @abstractmethod
    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Return the headers that sign a request, with every live secret where the scheme can.

        Raises:
            NotImplementedError: only the vendor can sign (`signs` is False).
        """
