"""Holding a run's profile against `quality:`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from astrio.tasks.quality.drift import Baseline
from astrio.tasks.quality.field import FieldProfile
from astrio.tasks.quality.figures import Breach, Changes
from astrio.tasks.quality.profile import Profile
from astrio.tasks.quality.settings import QualitySettings, moment, share_of

Finding = tuple[str, str]


def breaches(
    entries: Sequence[QualitySettings],
    profile: Profile,
    earlier: dict[str, Any] | None,
    drift: Changes,
) -> list[Breach]:
    """Return every threshold that the profile crosses; none for which it has too few records.

    Args:
        entries: `quality:`.
        profile: the run's.
        earlier: what is remembered of earlier runs.
        drift: how the run's fields differ from theirs.
    """
    baseline = Baseline.of((earlier or {}).get("fields"))
    return [
        Breach(field=each.field, check=check, message=message, severity=each.severity)
        for each in entries
        if profile.records + profile.rejected >= each.min_records
        for check, message in [
            *_counts(each, profile),
            *(_figures(each, profile) if profile.records else ()),
            *(_against(each, profile, baseline, drift) if profile.records else ()),
        ]
    ]


def _counts(entry: QualitySettings, profile: Profile) -> Iterator[Finding]:
    name, records = entry.field, profile.records
    nulls = records - profile.field(name).filled
    if entry.max_nulls is not None and nulls > share_of(entry.max_nulls, records):
        yield (
            "max_nulls",
            f"{nulls} of {records} records have no {name} (at most {entry.max_nulls})",
        )
    invalid, all_ = profile.invalid(name), records + profile.rejected
    if entry.max_invalid is not None and invalid > share_of(entry.max_invalid, all_):
        yield (
            "max_invalid",
            f"{invalid} of {all_} records were rejected for their {name} "
            f"(at most {entry.max_invalid})",
        )


def _figures(entry: QualitySettings, profile: Profile) -> Iterator[Finding]:
    name, field = entry.field, profile.field(entry.field)
    distinct = field.distinct
    if distinct is not None:
        # A part of a run has fewer different values than the whole.
        few = entry.min_distinct is not None and distinct < entry.min_distinct
        if few and profile.scope.whole:
            yield "min_distinct", f"{name} has {distinct} values (at least {entry.min_distinct})"
        if entry.max_distinct is not None and distinct > entry.max_distinct:
            yield "max_distinct", f"{name} has {distinct} values (at most {entry.max_distinct})"
    yield from _lengths(entry, field)
    yield from _bounds(entry, field)


def _lengths(entry: QualitySettings, field: FieldProfile) -> Iterator[Finding]:
    shortest, longest = field.lengths
    least, most = entry.min_length, entry.max_length
    if least is not None and shortest is not None and shortest < least:
        yield "min_length", f"{entry.field} is {shortest} long in a record (at least {least})"
    if most is not None and longest is not None and longest > most:
        yield "max_length", f"{entry.field} is {longest} long in a record (at most {most})"


def _bounds(entry: QualitySettings, field: FieldProfile) -> Iterator[Finding]:
    low, high = field.range
    if entry.min is not None and field.filled:
        yield from _bound(entry, field, "min", entry.min, low)
    if entry.max is not None and field.filled:
        yield from _bound(entry, field, "max", entry.max, high)


def _bound(
    entry: QualitySettings, field: FieldProfile, check: str, bound: Any, found: Any
) -> Iterator[Finding]:
    of_moments = isinstance(bound, date | str)
    if found is None or of_moments != isinstance(found, date):
        kinds, wanted = "/".join(sorted(field.kinds)), "date" if of_moments else "number"
        yield check, f"{entry.field} is {kinds}, which `{check}` cannot compare with a {wanted}"
        return
    value, limit = (moment(found), moment(bound)) if of_moments else (found, bound)
    if value < limit if check == "min" else value > limit:
        words = "least" if check == "min" else "most"
        shown = found.isoformat() if of_moments else found
        yield check, f"{entry.field} is {shown} in a record (at {words} {bound})"


def _against(
    entry: QualitySettings, profile: Profile, baseline: Baseline, drift: Changes
) -> Iterator[Finding]:
    name = entry.field
    if entry.stable and name in drift.vanished:
        yield "stable", f"{name} has no value in any record, and had in earlier runs"
    if entry.stable and name in drift.changed:
        yield "stable", f"{name} changed from {drift.changed[name]}"
    share = baseline.share(name)
    if entry.max_change is None or share is None:
        return
    before, now = 100 * (1 - share), 100 * (1 - profile.field(name).filled / profile.records)
    if round(abs(now - before), 9) > float(entry.max_change.rstrip("%")):
        yield (
            "max_change",
            f"{now:.1f}% of the records have no {name}, {before:.1f}% had none before "
            f"(at most {entry.max_change} apart)",
        )
