"""What happens to a record before an action sends it: the mapping, then the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.actions.settings import ActionFile
from astrio.tasks.batch import Batch, Page, Problem
from astrio.tasks.mapping.compile import compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.python.rules import model_or_function
from astrio.tasks.python.transform import PythonTransform
from astrio.tasks.rules.compile import compile_rules
from astrio.tasks.rules.model import compile_model


def judged(file: ActionFile, record: Mapping[str, Any], context: MappingContext) -> dict[str, Any]:
    """Return the record as it is sent: mapped, with dots in its targets nested, and judged.

    Raises:
        RecordRejectedError: the mapping fails for it, or it breaks a rule; with all reasons.
        ConfigurationError: the mapping or the rules have mistakes.
    """
    if file.map is None and file.transform is None and not file.rules:
        return dict(record)
    mapping = (
        compile_mapping(file.map, context)
        if file.transform is None
        else PythonTransform(file.transform, context, ())
    )
    batch = mapping.transform(Page(1, [record], fetched=1))
    _refuse(batch)
    if isinstance(file.rules, str):
        rules = compile_model(model_or_function(file.rules), mapping.columns)
    else:
        rules = compile_rules(file.rules, mapping.columns, context=context)
    batch = rules.validate(batch)
    _refuse(batch)
    if not batch.rows:
        raise RecordRejectedError("The transform leaves the record out; nothing was sent.")
    return nested(zip(batch.columns, batch.rows[0], strict=True), dotted=file.map is not None)


def nested(values: Iterable[tuple[str, Any]], *, dotted: bool) -> dict[str, Any]:
    """Return an object of targets and values; with `dotted`, `a.b` is `b` within `a`."""
    found: dict[str, Any] = {}
    for target, value in values:
        *above, last = target.split(".") if dotted else [target]
        place = found
        for name in above:
            below = place.setdefault(name, {})
            place = below if isinstance(below, dict) else place
        place[last] = value
    return found


def _refuse(batch: Batch) -> None:
    for reject in batch.rejects:
        told = "; ".join(map(_told, reject.problems))
        raise RecordRejectedError(
            f"The record is rejected, nothing was sent: {told}.",
            advice="Mend the record, or the mapping and the rules.",
        )


def _told(problem: Problem) -> str:
    return f"{problem.field or 'the record'} {problem.reason}".rstrip(".")
