"""`push.contract`: what becomes of records that do not fit the table as it stands."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from astrio.blocks.settings import Settings

Terms = Literal["evolve", "freeze", "quarantine", "discard_row", "discard_value"]
TableTerms = Literal["evolve", "freeze", "quarantine", "discard_row"]


class ContractSettings(Settings):
    """`push.contract`: a word for columns and types, or a mapping with a word for each.

    `evolve` changes the table, `freeze` fails the run, `quarantine` keeps the record for later,
    `discard_row` leaves the record out, `discard_value` the value alone. A word by itself holds a
    table from the run after the one that made it: `{tables: …}` says who may make it.
    """

    tables: TableTerms = Field(default="evolve", description="A table that does not exist yet.")
    columns: Terms = Field(
        default="evolve", description="A field that the table has no column for."
    )
    types: Terms = Field(
        default="evolve", description="A value that its column cannot hold as it is."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        words = get_args(Terms)
        if value not in words:
            meant = get_close_matches(value, words, n=1)
            hint = f"; did you mean `{meant[0]}`?" if meant else ""
            raise ValueError(f"`{value}` is none of {', '.join(f'`{w}`' for w in words)}{hint}")
        return {"columns": value, "types": value}

    @property
    def holds(self) -> bool:
        """Whether anything may be refused at all."""
        return {self.tables, self.columns, self.types} != {"evolve"}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that a word may stand in the place of the mapping."""
        return {"anyOf": [{"enum": list(get_args(Terms))}, handler(core_schema)]}
