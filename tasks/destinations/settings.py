"""`push`: where the rows go, and `quarantine`. Free of SQLAlchemy, so that `check` stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from astrio.blocks.database import Database
from astrio.blocks.settings import Settings
from astrio.blocks.store.either import or_saved, written_out
from astrio.tasks.destinations.contract import ContractSettings
from astrio.tasks.destinations.webhook.settings import WebhookDestination
from astrio.tasks.durations import parse_duration


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


def _is_webhook(value: Any) -> bool:
    return isinstance(value, WebhookDestination) or (
        isinstance(value, Mapping) and "webhook" in value
    )


if TYPE_CHECKING:
    TargetOrName = SqlTarget | str | WebhookDestination
else:
    _Sql = or_saved(SqlTarget, '{url: "sqlite:///data.db"}')
    TargetOrName = Annotated[
        Annotated[_Sql, Tag("sql")] | Annotated[WebhookDestination, Tag("webhook")],
        Discriminator(lambda value: "webhook" if _is_webhook(value) else "sql"),
    ]


def _events_have_no_table(schema: dict[str, Any]) -> None:
    schema["required"].remove("table")
    webhook = {"properties": {"to": {"type": "object", "required": ["webhook"]}}}
    schema |= {"if": webhook, "else": {"required": ["table"]}}


class PushSettings(Settings):
    """`push`: destination, table, and how rows meet the rows already there."""

    model_config = ConfigDict(json_schema_extra=_events_have_no_table)

    to: TargetOrName = Field(
        description="A saved database's name, or one written out; or {webhook: …}."
    )
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    mode: Literal["append", "upsert", "replace"] = Field(
        "append",
        description="append: add rows; upsert: update the rows of the same key, add the others; "
        "replace: put the rows in the place of all rows of the table, once they are complete.",
    )
    key: tuple[str, ...] = Field((), description="Target fields that identify a row.")
    version: str | None = Field(
        default=None,
        description="Target field by which a row is newer than another of its key: a row of a "
        "lower version never takes the place of one of a higher.",
    )
    contract: ContractSettings = Field(
        default_factory=ContractSettings,
        description="What becomes of records that do not fit the table: evolve, freeze, "
        "quarantine, discard_row or discard_value; or a word for each of tables, columns, types.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_webhook(cls, given: Any) -> Any:
        """Let events have no table, and be sent once whatever the mode."""
        if isinstance(given, Mapping) and _is_webhook(given.get("to")):
            return {"table": "events", **given, "mode": "upsert"}
        return given

    @property
    def target(self) -> SqlTarget:
        """The database, once its saved name has been resolved (`astrio.flows.connecting`).

        It is the ledger where records go to a webhook.
        """
        if isinstance(self.to, WebhookDestination):
            from astrio.tasks.destinations.webhook.destination import ledger_url

            return SqlTarget(url=ledger_url())
        return written_out(self.to, "push.to")


class QuarantineSettings(Settings):
    """`quarantine`: how long rejected records are kept."""

    keep: str | None = Field(
        default=None,
        description="How long a record stays open after it was last seen, e.g. 90d; then it is "
        "discarded. Left out: until it is mended or discarded.",
    )
    keep_closed: str = Field(
        default="7d",
        description="How long the content of a resolved or discarded record is kept; key, field "
        "and reason stay.",
    )

    @field_validator("keep", "keep_closed")
    @classmethod
    def _duration(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not parse_duration(value) and info.field_name == "keep":
            raise ValueError("`keep` must be longer than nothing")
        return value

    @property
    def open_for(self) -> timedelta | None:
        """How long open records are kept, None: for ever."""
        return None if self.keep is None else parse_duration(self.keep)

    @property
    def closed_for(self) -> timedelta:
        """How long the content of closed ones is kept."""
        return parse_duration(self.keep_closed)
