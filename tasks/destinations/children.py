"""`push.children`: lists of objects that go into tables of their own."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from astrio.blocks.settings import Settings
from astrio.tasks.columns import RESERVED, column_name

DIGEST: Final = f"{RESERVED}children"
POSITION: Final = f"{RESERVED}position"


class ChildSettings(Settings):
    """One of `push.children`: the table's name alone, or a mapping with it."""

    table: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", description="The table for the list's objects."
    )
    key: tuple[str, ...] = Field(
        (), description="Fields that tell the objects of one list apart; else their position does."
    )
    parent: tuple[str, ...] = Field(
        (),
        description="Columns for the parent's key, one for each of `push.key`; else `TABLE_KEY`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"table": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that the table's name may stand in the place of the mapping."""
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}

    def parent_columns(self, table: str, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns that hold the key of the parent, of that table and key."""
        return self.parent or tuple(f"{table}_{column_name(each)}" for each in key)
