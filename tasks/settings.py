"""Settings of the five verbs that are not a part with a family of its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializationInfo, field_serializer, field_validator

from astrio.blocks.literals import mask_named, remember_named
from astrio.blocks.settings import Settings
from astrio.tasks.durations import parse_lookback

BOUND_FORMATS = ("iso", "date", "epoch", "epoch_ms")

Where = Literal["query", "body", "header"]


class RequestSettings(Settings):
    """`source.request`: what is asked of the API for the first page."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(
        default="", description="Path below the connection's base URL; {{var}} is filled in."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(default=None, description="JSON body.")
    form: dict[str, Any] | None = Field(default=None, description="URL-encoded form body.")
    text: str | None = Field(default=None, description="Raw text body.")
    idempotent: bool = Field(
        default=False,
        description="This POST or PATCH only reads (or is keyed), so it may be retried.",
    )

    @field_serializer("params", "headers")
    def _mask(self, values: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
        return mask_named(values, info)

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal secret among parameters and headers."""
        remember_named(self.params)
        remember_named(self.headers)


class IncrementalSettings(Settings):
    """`source.incremental`: fetch only what changed since the last run (contract.md)."""

    cursor: str = Field(description="Path to the record's cursor value, e.g. updated_at.")
    param: str = Field(description="Parameter that carries the lower bound.")
    start: str | int | float | None = Field(
        default=None, description="Lower bound of the very first run."
    )
    lookback: str | int | None = Field(
        default=None,
        description="Re-read this much before the mark: 5m, 1d; a number for counting IDs.",
    )
    format: str | None = Field(
        default=None,
        description="How the API wants the bound: iso, date, epoch, epoch_ms or a strftime text.",
    )
    end_param: str | None = Field(default=None, description="Parameter for the upper bound.")
    sorted: bool = Field(default=False, description="Records come in cursor order, oldest first.")
    in_: Where = Field(default="query", alias="in", description="Where the parameters go.")

    @field_validator("lookback")
    @classmethod
    def _readable(cls, value: str | int | None) -> str | int | None:
        if value is not None:
            parse_lookback(value)
        return value

    @field_validator("format")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and "%" not in value and value not in BOUND_FORMATS:
            raise ValueError(f"give one of {', '.join(BOUND_FORMATS)}, or a strftime text with %")
        return value


class RetrySettings(Settings):
    """`retry`: how failed requests are repeated; delays in milliseconds."""

    max_retries: int = Field(default=3, ge=0, le=20)
    retry_delay: float = Field(default=1000, ge=0, description="First delay, milliseconds.")
    backoff_multiplier: float = Field(default=2, ge=1)
    retry_on_status: tuple[int, ...] = (408, 429, 500, 502, 503, 504)
    max_wait: float = Field(
        default=60_000,
        ge=0,
        description="Longest single wait, milliseconds; beyond it the run fails.",
    )
    strict: bool = Field(
        default=False, description="Take retryOnStatus literally, even where Retry-After is sent."
    )
