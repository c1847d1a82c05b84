"""`push`: where the rows go. Free of SQLAlchemy, so that `check` stays quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PrivateAttr

from astrio.blocks.database import Database
from astrio.blocks.settings import Settings
from astrio.blocks.store.either import or_saved, written_out


class SqlTarget(Database):
    """`to: {url: …}`: a SQL database by SQLAlchemy URL; references are filled in at run time."""

    _saved_as: str = PrivateAttr("")

    @classmethod
    def saved(cls, database: Database, name: str) -> SqlTarget:
        """Return the target that is saved as `name`."""
        target = cls(url=database.url, password=database.password)
        target._saved_as = name
        return target

    @property
    def named(self) -> str:
        """How its user knows the URL."""
        saved = f"the URL of the saved database {self._saved_as}"
        return saved if self._saved_as else "push.to.url"


if TYPE_CHECKING:
    SqlTargetOrName = SqlTarget | str
else:
    SqlTargetOrName = or_saved(SqlTarget, '{url: "sqlite:///data.db"}')


class PushSettings(Settings):
    """`push`: destination, table, and how rows meet the rows already there."""

    to: SqlTargetOrName = Field(description="A saved database's name, or one written out.")
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    mode: Literal["append", "upsert", "replace"] = Field(
        "append",
        description="append: add rows; upsert: update the rows of the same key, add the others; "
        "replace: put the rows in the place of all rows of the table, once they are complete.",
    )
    key: tuple[str, ...] = Field((), description="Target fields that identify a row.")
    version: str | None = Field(
        None,
        description="Target field by which a row is newer than another of its key: a row of a "
        "lower version never takes the place of one of a higher.",
    )

    @property
    def target(self) -> SqlTarget:
        """The database, once its saved name has been resolved (`astrio.flows.connecting`)."""
        return written_out(self.to, "push.to")
