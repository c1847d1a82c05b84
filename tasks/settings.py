"""Settings of the five verbs that are not a part with a family of its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from astrio.blocks.settings import Settings

Where = Literal["query", "body", "header"]


class RequestSettings(Settings):
    """`source.request`: what is asked of the API for the first page."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field("", description="Path below the connection's base URL; {{var}} is filled in.")
    params: dict[str, Any] = Field(default_factory=dict, description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(None, description="JSON body.")
    form: dict[str, Any] | None = Field(None, description="URL-encoded form body.")
    text: str | None = Field(None, description="Raw text body.")
    idempotent: bool = Field(
        False, description="This POST or PATCH only reads (or is keyed), so it may be retried."
    )


class IncrementalSettings(Settings):
    """`source.incremental`: fetch only what changed since the last run (contract.md)."""

    cursor: str = Field(description="Path to the record's cursor value, e.g. updated_at.")
    param: str = Field(description="Parameter that carries the lower bound.")
    start: str | int | float | None = Field(None, description="Lower bound of the very first run.")
    lookback: str | None = Field(None, description="Re-read this much before the mark, e.g. 5m.")
    format: str | None = Field(
        None,
        description="How the API wants the bound: iso, date, epoch, epoch_ms or a strftime text.",
    )
    end_param: str | None = Field(None, description="Parameter for the upper bound.")
    sorted: bool = Field(False, description="Records come in cursor order, oldest first.")
    in_: Where = Field("query", alias="in", description="Where the parameters go.")


class RetrySettings(Settings):
    """`retry`: how failed requests are repeated; delays in milliseconds."""

    max_retries: int = Field(3, ge=0, le=20)
    retry_delay: float = Field(1000, ge=0, description="First delay, milliseconds.")
    backoff_multiplier: float = Field(2, ge=1)
    retry_on_status: tuple[int, ...] = (408, 429, 500, 502, 503, 504)
    max_wait: float = Field(
        60_000, ge=0, description="Longest single wait, milliseconds; beyond it the run fails."
    )
    strict: bool = Field(
        False, description="Take retryOnStatus literally, even where Retry-After is sent."
    )
