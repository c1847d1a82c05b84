"""What a dry run would change in its destination (docs/dry-run.md)."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

MOST_EXAMPLES: Final = 10


class ChangedField(BaseModel):
    """A column's value as it is, and as the run would leave it."""

    model_config = ConfigDict(extra="forbid")

    before: Any
    after: Any


class ChangedRow(BaseModel):
    """A row that the run would change: its key, and the columns that would differ."""

    model_config = ConfigDict(extra="forbid")

    key: dict[str, Any]
    fields: dict[str, ChangedField]


class FileDifference(BaseModel):
    """The file that a run would write.

    Attributes:
        name: its absolute path, or its URL.
        bytes: its size, or nearly.
        replaces: it would take the place of one that is there.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    bytes: int
    replaces: bool = False


class SentRequest(BaseModel):
    """A request as it may be looked at: secrets masked."""

    model_config = ConfigDict(extra="forbid")

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


class PlannedRequest(ChangedRow):
    """A request that the run would send, in the place of a changed row.

    Its key is the record's; it is empty where the request carries several, or one without a key.
    """

    request: SentRequest
    records: int


class Difference(BaseModel):
    """The destination after a run, compared with the destination as it is.

    Attributes:
        new: rows that would be added.
        changed: rows that would get other values; one that several records change in turn counts
            once for each.
        unchanged: records that are in the table as they are.
        removed: rows that would be gone (`replace`), or marked or deleted because the source has
            them no more.
        table_created: there is no table yet.
        columns_added: columns that the table lacks, with their types; all of a table's that is
            created.
        columns_widened: columns that would change their type, each with `BIGINT to TEXT`.
        file: the file that would be written, where records go to files.
        requests: how many requests would be sent, None where rows are written.
        examples: the first changed rows, or the first requests. They hold people's data: they are
            shown to whoever asked for the dry run, and kept nowhere.
    """

    model_config = ConfigDict(extra="forbid")

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    table_created: bool = False
    columns_added: dict[str, str] = Field(default_factory=dict)
    columns_widened: dict[str, str] = Field(default_factory=dict)
    file: FileDifference | None = None
    requests: int | None = None
    examples: list[SerializeAsAny[ChangedRow]] = Field(default_factory=list)
