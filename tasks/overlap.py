"""Pages that overlap on purpose, so that a source that moves while it is read is noticed."""

from __future__ import annotations

from typing import Any

from astrio.blocks.errors import ApiAnswerError


class DriftError(ApiAnswerError):
    """The source moved while it was read: records may have slipped past."""


def without_overlap(known: list[Any], records: list[Any]) -> list[Any]:
    """Return the records that come after those already known.

    Args:
        known: the last records of the page before; none before the first page.
        records: the page, which begins with them unless the source has moved.

    Raises:
        DriftError: none of them is there any more.
    """
    if not known:
        return records
    # The first place that fits: where records are alike, one too many is better than one too few.
    for sought in (known, known[-1:]):
        for place in range(len(records) - len(sought) + 1):
            if records[place : place + len(sought)] == sought:
                return records[place + len(sought) :]
    raise DriftError(
        "The source moved while it was read: the next page does not begin with the last "
        "records of the page before, so that records may have been missed.",
        advice="Ask for a stable order (e.g. sort by ID), raise paginate.overlap, or use a cursor.",
    )
