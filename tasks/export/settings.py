"""Settings of `source.export`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from astrio.blocks.settings import Settings
from astrio.tasks.durations import parse_duration
from astrio.tasks.settings import Method


class ExportStep(Settings):
    """A request about a job; `{{job.id}}` stands for a field of the answer that created it."""

    method: Method = "GET"
    path: str | None = Field(default=None, description="Path below the connection's base URL.")
    url: str | None = Field(
        default=None, description="Instead: path to the URL in the answer that created the job."
    )
    header: str | None = Field(
        default=None, description="Instead: the header of that answer that holds the URL."
    )
    params: dict[str, Any] = Field(default_factory=dict)
    body: Any = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if sum(each is not None for each in (self.path, self.url, self.header)) != 1:
            raise ValueError("give one of `path`, `url` and `header`")
        return self


class ExportSettings(Settings):
    """`source.export`: what follows after `source.request` has created a job."""

    poll: ExportStep = Field(description="Asks how far the job is.")
    done: str = Field(description="Expression over that answer; true: the files are ready.")
    failed: str | None = Field(
        default=None, description="Expression over that answer; true: the job has failed."
    )
    error: str | None = Field(default=None, description="Path to the job's own error message.")
    pending_status: tuple[int, ...] = Field(
        default=(), description="Statuses that say that the job is not yet known, e.g. 404."
    )
    every: str = Field(default="2s", description="First pause between two questions; it grows.")
    longest_pause: str = Field(default="1m", description="The pause grows no further.")
    timeout: str = Field(default="1h", description="Longest wait for the job.")
    download: str | None = Field(
        default=None, description="Path to the files' URLs in the answer that says done."
    )
    result: ExportStep | None = Field(default=None, description="Instead: asks for the records.")
    download_hosts: tuple[str, ...] = Field(
        default=(), description="Other hosts of these URLs; they are asked without credentials."
    )
    cleanup: ExportStep | None = Field(
        default=None, description="Deletes the job when it is read, or has failed."
    )

    @field_validator("every", "longest_pause", "timeout")
    @classmethod
    def _duration(cls, value: str) -> str:
        if parse_duration(value) <= timedelta(0):
            raise ValueError("give more than 0")
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.download is None) == (self.result is None):
            raise ValueError("give `download` (a path to URLs) or `result` (a request)")
        return self
