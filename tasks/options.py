"""What one run may do differently from the file."""

from __future__ import annotations

from pydantic import Field

from astrio.blocks.settings import Settings


class RunOptions(Settings):
    """Options of a single run: the form of Prefect's custom run, and the flags of `astrio run`."""

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
