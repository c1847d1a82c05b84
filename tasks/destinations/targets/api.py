"""`push.to: {api: …, request: …}`: a REST API that records are sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from astrio.blocks.api import RestApi
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import resolve
from astrio.blocks.store import reader
from astrio.blocks.store.either import or_saved, written_out
from astrio.tasks.actions.rendering import Fill
from astrio.tasks.destinations.api.settings import (
    BatchSettings,
    Delivery,
    DeliverySettings,
    PushRequest,
    Sending,
    UpdateRequest,
)
from astrio.tasks.destinations.api.target import RequestTarget
from astrio.tasks.paths import PathSyntaxError, compile_path
from astrio.tasks.settings import BODIES, ResponseSettings

if TYPE_CHECKING:
    RestApiOrName = RestApi | str
else:
    RestApiOrName = or_saved(RestApi, '{base_url: "https://…"}')


def _sized(value: Any) -> Any:
    """Let a number alone be a size."""
    counts = isinstance(value, int) and not isinstance(value, bool)
    return {"size": value} if counts else value


Batch = Annotated[
    BatchSettings, BeforeValidator(_sized, json_schema_input_type=BatchSettings | int)
]


class ApiTarget(RequestTarget, DeliverySettings):
    """`{api: NAME or {base_url, auth, …}, request: {method, path, body, …}, batch: N}`."""

    told_by: ClassVar = frozenset({"api"})

    api: RestApiOrName = Field(description="A saved REST API's name, or one written out.")
    request: PushRequest = Field(default_factory=PushRequest)
    update: UpdateRequest | None = Field(
        default=None,
        description="The request for a record that was sent before: {{returned.id}} is what "
        "`returns` remembers of it.",
    )
    batch: Batch | None = Field(
        default=None, description="A number of records, or {size, max_bytes, item, lines}."
    )
    response: ResponseSettings = Field(
        default_factory=ResponseSettings, description="What besides the status tells success."
    )

    @field_validator("returns")
    @classmethod
    def _paths(cls, returns: dict[str, str]) -> dict[str, str]:
        for name, path in returns.items():
            try:
                compile_path(path)
            except PathSyntaxError as error:
                raise ValueError(f"`returns.{name}` is no path: {error.reason}") from None
        return returns

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.batch is None:
            return self
        if self.update is not None or self.returns:
            key = "update" if self.update is not None else "returns"
            raise ValueError(f"`{key}` is for one request a record: leave `batch` out")
        given = [kind for kind in BODIES if getattr(self.request, kind) is not None]
        if self.batch.lines and given:
            raise ValueError(f"`batch.lines` makes the body: leave `request.{given[0]}` out")
        return self

    @property
    def reference(self) -> str:
        """The saved name or the base URL, and the fixed part of the path."""
        base = self.api if isinstance(self.api, str) else self.api.base_url.rstrip("/")
        fixed = self.request.path.partition("?")[0].partition("{{")[0].strip("/")
        return redact(f"{base}/{fixed}" if fixed else base)

    def connected(self) -> ApiTarget:
        """Return it with its saved API read."""
        if not isinstance(self.api, str):
            return self
        return self.model_copy(update={"api": reader.rest_api(self.api)})

    def delivery(self, fill: Fill = resolve) -> Delivery:  # noqa: ARG002 (the client fills it in)
        """Return what is sent, and how outcomes are told."""
        return Delivery(
            api=written_out(self.api, "push.to.api"),
            create=Sending(self.request.path, self.request, self.batch),
            response=self.response,
            outcomes=self,
            update=None if self.update is None else Sending(self.update.path, self.update),
        )
