"""`Integration`: the one model behind the file, the CLI, the flow's parameter and the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from astrio.blocks.api import RestApi
from astrio.blocks.settings import Settings
from astrio.blocks.store.either import or_saved, written_out
from astrio.blocks.webhooks.source import WebhookSource
from astrio.flows.partitioning import PartitionSettings
from astrio.flows.schedule import Schedule
from astrio.tasks.children.settings import ParentSettings
from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
from astrio.tasks.destinations.several.settings import AnyPush
from astrio.tasks.export.settings import ExportSettings
from astrio.tasks.incremental_settings import IncrementalSettings
from astrio.tasks.paginate.choice import AnyPaginator
from astrio.tasks.paginate.none import NoPagination
from astrio.tasks.python.references import Reference
from astrio.tasks.quality.settings import QualitySettings
from astrio.tasks.rules.settings import RuleSettings
from astrio.tasks.settings import (
    RequestSettings,
    ResponseSettings,
    RetrySettings,
)

if TYPE_CHECKING:
    RestApiOrName = RestApi | str
    WebhookSourceOrName = WebhookSource | str
else:
    WebhookSourceOrName = or_saved(WebhookSource, '{scheme: stripe, secret: "${env:SECRET}"}')
    RestApiOrName = or_saved(RestApi, '{base_url: "https://…"}')


NameOfOther = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]

# What may stand in the place of `source.api`.
_ORIGINS: Final = ("python", "webhook", "event")


def _api_may_be_left_out(schema: dict[str, Any]) -> None:
    schema["required"].remove("api")


class Source(Settings):
    """`source`: where records come from."""

    model_config = ConfigDict(json_schema_extra=_api_may_be_left_out)

    webhook: WebhookSourceOrName | None = Field(
        None, description="A saved webhook source's name, or one written out: its events are read."
    )
    python: Reference | None = Field(
        None, description="Instead of a request: module:function of a generator of records."
    )
    event: NameOfOther | tuple[NameOfOther, ...] | None = Field(
        None,
        description="The integrations that hand their records over to this one, "
        "`push: {to: {integration: …}}`: a name, or several.",
    )
    api: RestApiOrName | None = Field(description="A saved REST API's name, or one written out.")
    request: RequestSettings = Field(default_factory=RequestSettings)
    response: ResponseSettings = Field(default_factory=ResponseSettings)
    records: str = Field("$", description="Path to the list of records, e.g. $.orders[*].")
    allow_missing: bool = Field(False, description="A missing records path means no records.")
    paginate: AnyPaginator = Field(default_factory=NoPagination)
    incremental: IncrementalSettings | None = None
    parent: ParentSettings | None = Field(
        None, description="Records for each of which the request is sent: {{parent.id}}."
    )
    export: ExportSettings | None = Field(
        None, description="The request creates a job, whose files hold the records."
    )
    filter: str | None = Field(None, description="Expression over a record; false leaves it out.")
    event_as: str | None = Field(
        None,
        min_length=1,
        description="Field in which each record of a webhook gets the event's id, received_at and "
        "headers.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_somewhere(cls, given: Any) -> Any:
        """Let `api` be missing where the records come from something else."""
        if isinstance(given, Mapping) and given.get("api") is None:
            others = {key: value for key, value in given.items() if key != "api"}
            return others | {"api": None} if others.keys() & set(_ORIGINS) else others
        return given

    @property
    def senders(self) -> tuple[str, ...]:
        """The integrations that hand their records over."""
        return (self.event,) if isinstance(self.event, str) else self.event or ()

    @property
    def connection(self) -> RestApi:
        """The connection, once its saved name has been resolved (`astrio.flows.connecting`)."""
        assert self.api is not None  # asked for only where an API is read
        return written_out(self.api, "source.api")


class Integration(Settings):
    """One integration: source, mapping, rules, destination."""

    name: str = Field(pattern=r"^[a-z0-9_-]{1,64}$")
    description: str = ""
    tags: tuple[str, ...] = ()
    vars: dict[str, Any] = Field(default_factory=dict, description="Values for {{name}} in source.")
    source: Source
    map: dict[str, Any] | None = Field(None, description="target: expression over the record.")
    transform: Reference | None = Field(
        None, description="Instead of `map`: module:function of a record, which returns the row."
    )
    rules: tuple[RuleSettings, ...] | Reference = Field(
        (),
        alias="validate",
        description="Rules; or module:name of a pydantic model, or of a function of a row.",
    )
    quality: tuple[QualitySettings, ...] = Field(
        (), description="What the figures of fields may be before a run warns, or fails."
    )
    max_rejected: int | str | None = Field(None, description='Count, or share such as "5%".')
    quarantine: QuarantineSettings = Field(default_factory=QuarantineSettings)
    push: AnyPush
    partitions: PartitionSettings | None = Field(
        None, description="Accounts, stores, months: a run for each, with a watermark of its own."
    )
    schedule: Schedule | None = Field(None, description="Cron text, {every: 15m} or an RRULE.")
    retry: RetrySettings = Field(default_factory=RetrySettings)
    errors: dict[str, str] = Field(default_factory=dict, description="Own texts by HTTP status.")
    alerts: dict[str, Any] | None = None

    @field_validator("transform")
    @classmethod
    def _instead_of_a_map(cls, transform: str | None, info: ValidationInfo) -> str | None:
        if transform is not None and info.data.get("map") is not None:
            raise ValueError("`transform` takes the place of `map`: keep one of the two")
        return transform

    def toward(self, push: PushSettings) -> Integration:
        """Return the integration with this one as its only destination."""
        return self.model_copy(update={"push": push})
