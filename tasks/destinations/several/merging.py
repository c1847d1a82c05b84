"""What became of a chunk's rows, each counted once, whatever several destinations made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_

from astrio.tasks.batch import Batch, Reject
from astrio.tasks.destinations.base import Written
from astrio.tasks.report import TableChanges


def merged(batches: Sequence[Batch], parts: Sequence[Written]) -> Written:
    """Return what became of the rows of these batches, given what became of them in each place.

    A row that a destination refused counts as failed, though others may have written it; as
    rejected if all of them found it wanting. Of the others, as many count as written as in the
    place that wrote most of them; a row is left out if that is so everywhere.
    """
    if len(parts) == 1:
        return parts[0]
    rows = sum(len(batch.rows) + len(batch.page.deletions) for batch in batches)
    refused, wanting = _refused(parts)
    left = rows - len(refused) - len(wanting)
    written = min(max(part.written for part in parts), left)
    filtered = min(*(part.filtered for part in parts), left - written)
    return Written(
        written=written,
        unchanged=left - written - filtered,
        rejected=wanting,
        failed=refused,
        filtered=filtered,
        deleted=sum(part.deleted for part in parts),
        table=reduce(TableChanges.plus, (part.table for part in parts)),
    )


def _refused(parts: Sequence[Written]) -> tuple[list[Reject], list[Reject]]:
    """Return each refused row once: those of some places, and those that are wanting in all."""
    examples = {_name(each): each for part in parts for each in (*part.failed, *part.rejected)}
    wanting = reduce(and_, (_named(part.rejected) for part in parts))
    anywhere = reduce(or_, (_named((*part.failed, *part.rejected)) for part in parts))
    somewhere = anywhere - wanting
    return (
        [examples[name] for name in somewhere.elements()],
        [examples[name] for name in wanting.elements()],
    )


def _named(rejects: Iterable[Reject]) -> Counter[str]:
    return Counter(map(_name, rejects))


def _name(reject: Reject) -> str:
    # A record that is decoded only when it is asked for is another object each time.
    return repr(reject.record)
