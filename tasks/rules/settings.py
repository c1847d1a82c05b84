"""One validation rule as the file writes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, StrictInt, StrictStr

from astrio.blocks.settings import Settings

_RECORD = "Expression over the mapped record; "


def _open(schema: dict[str, Any]) -> None:
    # Prefect, which ignores what a schema requires where it checks the parameters of a deployment,
    # takes the property `required` out of it too, and would then refuse it as unknown.
    schema.pop("additionalProperties")
    schema["allOf"] = [{"anyOf": [{"required": ["field"]}, {"required": ["expr"]}]}]


def _types(schema: dict[str, Any]) -> None:
    from astrio.tasks.rules.base import type_names

    schema.pop("anyOf", None)
    schema["enum"] = [*type_names(), None]


def _sanitizers(schema: dict[str, Any]) -> None:
    from astrio.tasks.rules.sanitizing import sanitizers

    schema["items"] = {"enum": list(sanitizers())}


class KnownValues(Settings):
    """A file in the project's folder that lists values: CSV, or JSON."""

    file: str = Field(description="The file's name, e.g. customers.csv.")
    column: str | None = Field(None, description="CSV: heading of the column; JSON: the key.")


class RuleSettings(Settings):
    """One entry of `validate:`; both `type: email` and `validator: "min:18"` are read.

    A null or missing value passes every rule but `required` and `expr`.
    """

    model_config = ConfigDict(json_schema_extra=_open)

    field: str | None = Field(None, description="Target field, as written in `map`.")
    type: str | None = Field(None, description="Kind of value.", json_schema_extra=_types)
    format: str | None = Field(
        None, description="Of phones: international. Of dates and times: e.g. %d.%m.%Y."
    )
    region: str | None = Field(None, description="Default region of phone numbers, e.g. DE.")
    required: bool = Field(False, description="The value must be there: not null, nor empty text.")
    validator: str | None = Field(None, description='Short form: "min:18", "pattern:^A".')
    min: Any = Field(None, description="Least number, or fewest characters of a text.")
    max: Any = Field(None, description="Greatest number, or most characters of a text.")
    length: StrictInt | StrictStr | None = Field(
        None, description="Characters of a text or elements of a list: 5, 2..64, 2.. or ..64."
    )
    pattern: str | None = Field(None, description="Regular expression (RE2) found in the text.")
    choices: tuple[Any, ...] | None = Field(
        None, alias="in", description="The values allowed, e.g. [open, closed]."
    )
    unique: bool = Field(False, description="No other record of the run has the value.")
    exists_in: tuple[Any, ...] | StrictStr | KnownValues | None = Field(
        None, description="A list, or a file that lists the values: {file: a.csv, column: id}."
    )
    expr: str | None = Field(None, description=_RECORD + "it must be true, e.g. end >= start.")
    when: str | None = Field(
        None, description=_RECORD + "the entry is for records for which it is true."
    )
    severity: Literal["error", "warning"] = Field(
        "error", description="warning: the record is written, and counted in the report."
    )
    message: str | None = Field(
        None, description="Own text instead of the rule's; {field}, {value}, {{ expression }}."
    )
    sanitize: tuple[str, ...] = Field(
        (), description="What is done with texts before the rules.", json_schema_extra=_sanitizers
    )
