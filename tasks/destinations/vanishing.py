"""`push.vanished` and `push.deleted`: what becomes of rows that the source has no more."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from astrio.blocks.settings import Settings
from astrio.tasks.quality.settings import Share

DELETED_AT: Final = "_astrio_deleted_at"
VALID_FROM: Final = "valid_from"
VALID_TO: Final = "valid_to"

Fate = Literal["mark", "delete", "close"]
VanishedFate = Literal["keep", "mark", "delete", "close"]


class VanishedSettings(Settings):
    """`push.vanished`: a word, or a mapping with the word and how many rows may go at once.

    Rows are looked for that a run which has read everything did not meet. `mark` writes the time
    into the column `_astrio_deleted_at`, and takes it away when the row comes back; `delete`
    deletes them; `close` ends their open version (`mode: history`).
    """

    rows: VanishedFate = Field(default="keep", description="What becomes of them.")
    most: Share = Field(
        default="20%",
        description='How many of the table\'s rows may vanish in one run: 100 or "20%". If more '
        "would, or all, the run fails and every row stays.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"rows": _known(value, VanishedFate)} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that a word may stand in the place of the mapping."""
        return {"anyOf": [{"enum": list(get_args(VanishedFate))}, handler(core_schema)]}


class DeletedSettings(Settings):
    """`push.deleted`: an expression over the record, or a mapping with it."""

    when: str = Field(description="Expression over a source record; true: it tells of a deletion.")
    rows: Fate | None = Field(
        default=None,
        description="What becomes of its row, which only the key must name: mark, or close with "
        "`mode: history`, unless this says otherwise.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_expression(cls, value: Any) -> Any:
        return {"when": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that an expression may stand in the place of the mapping."""
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}


def _known(word: str, fates: Any) -> str:
    words = get_args(fates)
    if word not in words:
        meant = get_close_matches(word, words, n=1)
        hint = f"; did you mean `{meant[0]}`?" if meant else ""
        raise ValueError(f"`{word}` is none of {', '.join(f'`{each}`' for each in words)}{hint}")
    return word


def marks(vanished: VanishedSettings, deleted: DeletedSettings | None) -> bool:
    """Whether rows are marked, so that the table needs the column for it."""
    return vanished.rows == "mark" or (deleted is not None and deleted.rows in ("mark", None))
