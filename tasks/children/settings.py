"""Settings of `source.parent`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from astrio.blocks.settings import Settings
from astrio.tasks.paginate.choice import AnyPaginator
from astrio.tasks.paginate.none import NoPagination
from astrio.tasks.settings import RequestSettings, ResponseSettings

MissingStatus = Literal[403, 404, 410]


class ParentSettings(Settings):
    """`source.parent`: the records for each of which `source.request` is sent.

    `{{parent.id}}` in `source.request` stands for a parent's field. Each child's record gets the
    parent's key and its included fields under `parent`.
    """

    request: RequestSettings = Field(default_factory=RequestSettings)
    response: ResponseSettings = Field(default_factory=ResponseSettings)
    records: str = Field("$", description="Path to the list of parents, e.g. $.customers[*].")
    allow_missing: bool = Field(False, description="A missing records path means no parents.")
    paginate: AnyPaginator = Field(default_factory=NoPagination)
    filter: str | None = Field(None, description="Expression over a parent; false leaves it out.")
    key: str = Field("id", description="Path to the parent's key.")
    include: tuple[str, ...] = Field(
        (), description="Further fields of the parent that its children's records get."
    )
    as_: str = Field(
        "parent",
        alias="as",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="Name of the field with the parent's key in a child's record.",
    )
    concurrency: int = Field(4, ge=1, le=64, description="Parents whose children are read at once.")
    missing_status: tuple[MissingStatus, ...] = Field(
        (403, 404, 410), description="Statuses that say that one parent has no children to read."
    )
    max_missing: int | str | None = Field(
        None, description='Such parents that a run bears: a count, or a share such as "5%".'
    )
    unique_ids: bool = Field(False, description="Children of different parents never share a key.")

    @field_validator("max_missing")
    @classmethod
    def _limit(cls, value: int | str | None) -> int | str | None:
        text = str(value).strip()
        share = text.removesuffix("%")
        try:
            fits = value is None or (0 <= float(share) <= 100 if share != text else int(text) >= 0)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError('give a count such as 10 or a share such as "5%"')
        return value
