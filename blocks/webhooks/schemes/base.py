"""What a signature scheme is: it judges what arrives, and signs what leaves.

A scheme sees the raw bytes, the raw headers, the configured public URL and a clock, nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import Field

from astrio.blocks.settings import Settings
from astrio.blocks.webhooks.reading import Headers, Refusal


@dataclass(slots=True)  # freezing would cost more than all the rest of making one
class Received:
    """A request as it arrived; nobody changes it.

    Attributes:
        method: such as POST.
        url: the configured public URL with the request's own query; never taken from `Host`.
        headers: every header in order, names in lower case, duplicates kept.
        body: the raw bytes.
        from_proxy: whether it came from one of the gateway's configured proxies, so that headers
            which only a proxy may set can be believed.
        documents: what was fetched for a `Verdict.wants` before, by URL.
    """

    method: str
    url: str
    headers: Headers
    body: bytes
    from_proxy: bool = False
    documents: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a vendor wants to hear instead of 202, such as the answer to a challenge."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain"


@dataclass(slots=True)  # as above
class Verdict:
    """What a scheme says of a request; nobody changes it.

    Attributes:
        accepted: whether it is genuine, fresh and whole.
        reason: why it is refused, one word or two for logs and metrics: `signature`, `timestamp`,
            `missing`, `duplicate_header`, `malformed`, `document`. Never told to the sender.
        delivery_id: the vendor's id of the delivery, None if the scheme has none.
        reply: the accepted request is a challenge; this answers it, and no event is stored.
        wants: with the reason `document`: the URL of a certificate or of public keys that it
            cannot be judged without. Fetch it (`astrio.blocks.webhooks.documents`) and ask again
            with it in `Received.documents`; it was checked to lead to the vendor only.
    """

    accepted: bool
    reason: str = ""
    delivery_id: str | None = None
    reply: Reply | None = None
    wants: str | None = None


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
        methods: that the vendor sends; the gateway takes no others.
        signs: whether `sign` can be used; some schemes only the vendor can sign.
        key_form: what a secret looks like, for messages and documentation.
    """

    methods: ClassVar[tuple[str, ...]] = ("POST",)
    signs: ClassVar[bool] = True
    key_form: ClassVar[str] = "a text that both sides know"

    @classmethod
    def kind(cls) -> str:
        """Return its `type`."""
        return str(cls.model_fields["type"].default)

    @property
    def signed(self) -> bool:
        """Whether the vendor proves the body; if not, who has seen one request can send others."""
        return True

    @property
    def needs_secret(self) -> bool:
        """Whether it judges by secrets or keys at all."""
        return True

    @property
    def secret_in_path(self) -> bool:
        """Whether requests come to the configured path, a slash and the secret."""
        return False

    def check_secret(self, secret: str) -> None:
        """Refuse what is no secret (or key) of this scheme.

        Raises:
            ValueError: what is wrong with it, without repeating it.
        """
        if not secret.strip():
            raise ValueError("the secret is empty")

    def hidden(self, secret: str) -> tuple[str, ...]:
        """Return what of a secret must never be shown, each part that could stand alone."""
        return (secret,)

    def verify(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Judge a request; never raises, whatever arrives, and compares in constant time.

        Args:
            received: the request.
            secrets: every live secret, newest first; one of them must fit.
            now: epoch seconds.
        """
        try:
            return self.judge(received, secrets, now)
        except Refusal as refusal:
            return Verdict(False, refusal.reason)
        except Exception:  # noqa: BLE001 (a fault of ours must not let a stranger cause a 500)
            return Verdict(False, "malformed")

    @abstractmethod
    def judge(self, received: Received, secrets: Sequence[str], now: float) -> Verdict:
        """Do the work of `verify`.

        Raises:
            Refusal: it is refused.
        """

    def prepared(self, outgoing: Outgoing, secrets: Sequence[str]) -> Outgoing:  # noqa: ARG002 (one shape for all)
        """Return a request as this scheme sends it; some need something of their own in the URL."""
        return outgoing

    @abstractmethod
    def sign(self, outgoing: Outgoing, secrets: Sequence[str]) -> list[tuple[str, str]]:
        """Return the headers that sign a request, with every live secret where the scheme can.

        Args:
            outgoing: the request, as `prepared` returned it.
            secrets: every live secret, newest first.

        Raises:
            NotImplementedError: only the vendor can sign (`signs` is False).
            ValueError: a secret or key cannot be used; it is not repeated.
        """


class TimedScheme(Scheme):
    """A scheme whose signature covers a timestamp, so that an old request cannot be sent again."""

    tolerance: int = Field(
        default=300,
        ge=1,
        le=7 * 86400,
        description="Seconds that the timestamp may lie in the past or the future.",
    )
