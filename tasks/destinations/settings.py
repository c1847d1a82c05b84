"""`push`: where the rows go. Free of SQLAlchemy, so that `check` stays quick."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializationInfo, field_serializer

from astrio.blocks.literals import mask_password, remember_password
from astrio.blocks.settings import Settings


class SqlTarget(Settings):
    """`to: {url: …}`: a SQL database by SQLAlchemy URL; `${env:NAME}` is filled in at run time."""

    url: str = Field(description='e.g. "sqlite:///orders.db" or "${env:WAREHOUSE_URL}".')

    @field_serializer("url")
    def _mask_password(self, url: str, info: SerializationInfo) -> str:
        return mask_password(url, info)

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal password."""
        remember_password(self.url)


class PushSettings(Settings):
    """`push`: destination, table, and how rows meet the rows already there."""

    to: SqlTarget
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    mode: Literal["append", "upsert"] = "append"
    key: tuple[str, ...] = Field((), description="Target fields that identify a row.")
