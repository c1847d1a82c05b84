"""`push`: where the rows go. Free of SQLAlchemy, so that `check` stays quick."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from astrio.blocks.settings import Settings


class SqlTarget(Settings):
    """`to: {url: …}`: a SQL database by SQLAlchemy URL; `${env:NAME}` is filled in at run time."""

    url: str = Field(description='e.g. "sqlite:///orders.db" or "${env:WAREHOUSE_URL}".')


class PushSettings(Settings):
    """`push`: destination, table, and how rows meet the rows already there."""

    to: SqlTarget
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    mode: Literal["append", "upsert"] = "append"
    key: tuple[str, ...] = Field((), description="Target fields that identify a row.")
