"""What one run may do differently from the file."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, field_validator

from astrio.blocks.settings import Settings


def _as_plain_fields(schema: dict[str, Any]) -> None:
    # Prefect's form draws "a text or null" as a switch between two types, and a text that has no
    # default as a plain field that may stay empty.
    for field in schema["properties"].values():
        if "anyOf" in field:
            field.update(field.pop("anyOf")[0])
            del field["default"]


class RunOptions(Settings):
    """Options of a single run: the form of Prefect's custom run, and the flags of `astrio run`."""

    model_config = ConfigDict(json_schema_extra=_as_plain_fields)

    full_refresh: bool = Field(
        default=False, description="Read everything again: ignore the watermark, then set it."
    )
    since: str | None = Field(
        default=None, description="Lower bound of this run's window; the watermark does not move."
    )
    until: str | None = Field(
        default=None, description="Upper bound of this run's window; the watermark does not move."
    )
    limit: int | None = Field(
        default=None, ge=1, description="Stop after so many records; the watermark does not move."
    )
    wait: bool = Field(
        default=False, description="Wait while another run of this stream is at work."
    )

    partition: str | None = Field(
        default=None, description="Only this partition, e.g. store=a; else all of them."
    )
    dry_run: bool = Field(
        default=False,
        description="Show what the run would change in the destination; write nothing.",
    )

    @field_validator("since", "until", "partition")
    @classmethod
    def _emptied(cls, bound: str | None) -> str | None:
        return bound or None  # a form's field that was filled and emptied again


class PartOptions(RunOptions):
    """Options of a run of one part of an integration: a chunk of a backfill, `since` to `until`."""

    backfill: bool = Field(
        default=False,
        description="The window is read once, with a resume point of its own; live runs are not "
        "disturbed.",
    )
    columns: tuple[str, ...] = Field(
        default=(), description="Write only these columns, of rows that are there."
    )
    again: bool = Field(default=False, description="Read the window anew, even if it is done.")
    yields: bool = Field(
        default=False, description="Leave the window to another run that is at work on it."
    )


class BackfillOptions(Settings):
    """Options of a backfill: a range, cut into chunks that are read side by side."""

    since: str | None = Field(
        default=None, description="Lower bound of the range; left out: incremental.start."
    )
    until: str | None = Field(default=None, description="Upper bound of the range; left out: now.")
    chunk: str | None = Field(
        default=None,
        description="How wide a chunk is: 1d, 12h, or a number for cursors that count; left out: "
        "a day.",
    )
    parallel: int = Field(default=4, ge=1, le=64, description="Chunks that are read at once.")
    columns: tuple[str, ...] = Field(
        default=(), description="Write only these columns, of rows that are there."
    )
    partition: str | None = Field(
        default=None, description="Only this partition, e.g. store=a; else all of them."
    )
    pool: str | None = Field(
        default=None,
        description="Work pool whose workers read the chunks; left out: this process does.",
    )
    again: bool = Field(
        default=False, description="Read every chunk anew, also those that are done."
    )

    @field_validator("since", "until", "chunk", "partition", "pool")
    @classmethod
    def _emptied(cls, text: str | None) -> str | None:
        return text or None  # as above
