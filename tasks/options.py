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

    dry_run: bool = Field(
        default=False,
        description="Show what the run would change in the destination; write nothing.",
    )

    @field_validator("since", "until")
    @classmethod
    def _emptied(cls, bound: str | None) -> str | None:
        return bound or None  # a form's field that was filled and emptied again
