"""Columns that astrio keeps in a user's table, beside those of the mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from astrio.tasks.destinations.children import DIGEST
from astrio.tasks.destinations.settings import PushSettings
from astrio.tasks.destinations.sql.dialect import Relation
from astrio.tasks.destinations.sql.kinds import Kind
from astrio.tasks.destinations.vanishing import DELETED_AT, VALID_FROM, VALID_TO, marks


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column with the value that each row gets when it is written.

    Attributes:
        kind: None takes the column as it is.
    """

    name: str
    kind: Kind | None
    value: Any = None


def own_columns(push: PushSettings, relation: Relation | None) -> list[OwnColumn]:
    """Return the columns that the mode needs.

    A row that comes back is no longer marked, also if the file has ceased to ask for marks.
    """
    if push.mode == "history":
        return [OwnColumn(VALID_FROM, Kind.TIMESTAMP), OwnColumn(VALID_TO, Kind.TIMESTAMP)]
    if push.mode != "upsert":
        return []
    known = {} if relation is None else relation.columns
    own: list[OwnColumn] = []
    if marks(push.vanished, push.deleted):
        own.append(OwnColumn(DELETED_AT, Kind.TIMESTAMP))
    elif DELETED_AT in known:
        own.append(OwnColumn(DELETED_AT, None))
    if push.children:
        own.append(OwnColumn(DIGEST, Kind.TEXT))
    elif DIGEST in known:  # so that whoever asks for children again gets them anew
        own.append(OwnColumn(DIGEST, None))
    return own
