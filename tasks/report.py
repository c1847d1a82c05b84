"""The run report: one balanced account of every record (contract.md, `run --json`)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from astrio.blocks.errors import AstrioError


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Records(_Model):
    """How many records met which fate; `deleted` counts destination rows, outside the sum."""

    claimed: int | None = None
    fetched: int = 0
    filtered: int = 0
    rejected: int = 0
    written: int = 0
    unchanged: int = 0
    failed: int = 0
    deleted: int = 0

    @property
    def accounted(self) -> int:
        """The right-hand side of the balance."""
        return self.filtered + self.rejected + self.written + self.unchanged + self.failed

    @property
    def balanced(self) -> bool:
        """Whether every fetched record met exactly one fate."""
        return self.fetched == self.accounted


class Requests(_Model):
    """How many HTTP requests the run sent, and how long they took (milliseconds)."""

    sent: int = 0
    retried: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None


class Parents(_Model):
    """Parents whose children were read, and how many of them have none to read."""

    read: int = 0
    missing: int = 0
    examples: list[str] = Field(default_factory=list)


class Window(_Model):
    """The incremental window, [start, end), as the source writes its cursor; None: open."""

    start: Any = None
    end: Any = None


class ErrorReport(_Model):
    """Why a run failed."""

    kind: str
    message: str
    advice: str = ""
    request: str | None = None

    @classmethod
    def of(cls, error: AstrioError) -> ErrorReport:
        """Describe an astrio error."""
        return cls(
            kind=error.kind, message=error.message, advice=error.advice, request=error.request
        )


class RunReport(_Model):
    """The account of one logical run; resumed runs go on counting in the same report."""

    integration: str
    state: str = "failed"
    dry_run: bool = False
    flow_run: str | None = None
    window: Window = Field(default_factory=Window)
    pages: int = 0
    stop_reason: str | None = None
    records: Records = Field(default_factory=Records)
    parents: Parents | None = None
    requests: Requests = Field(default_factory=Requests)
    checkpoint: dict[str, Any] | None = None
    seconds: float = 0.0
    warnings: list[str] = Field(default_factory=list)
    error: ErrorReport | None = None
