"""One validation rule as the file writes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from astrio.blocks.settings import Settings


def _open(schema: dict[str, Any]) -> None:
    # Prefect, which ignores what a schema requires where it checks the parameters of a deployment,
    # takes the property `required` out of it too, and would then refuse it as unknown.
    schema.pop("additionalProperties")


class RuleSettings(Settings):
    """One entry of `validate:`; both `type: email` and `validator: "min:18"` are read.

    A null or missing value passes every rule but `required`.
    """

    model_config = ConfigDict(json_schema_extra=_open)

    field: str = Field(description="Target field, as written in `map`.")
    type: Literal["email", "phone"] | None = None
    format: Literal["international"] | None = None
    region: str | None = Field(None, description="Default region of phone numbers, e.g. DE.")
    required: bool = False
    validator: str | None = Field(None, description='Short form: "min:18", "pattern:^A".')
    min: Any = None
    max: Any = None
    pattern: str | None = None
    message: str | None = Field(None, description="Own text instead of the rule's.")
