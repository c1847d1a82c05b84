"""Whether a run reads just some fields of its records, so that only these need be decoded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from astrio.flows.integration import Integration
from astrio.tasks.decode.keys import keys_to
from astrio.tasks.decode.projection import Projection
from astrio.tasks.mapping.parser import parse_expression, parse_value
from astrio.tasks.mapping.sent import asks_for_digits
from astrio.tasks.mapping.shape import Shape, shape_of
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.settings import ResponseSettings


def projection_of(integration: Integration) -> Projection | None:
    """Return what decodes only the fields that the mapping, filter and cursor read.

    None: whole records are looked at (no mapping, a JSONPath that searches them, a function of
    the user's own, errors among the records, what is compared by content), or there is no gain.
    Where the mapping or the filter uses `decimal()`, fractions remember their digits, whether or
    not whole records are decoded.
    """
    source = integration.source
    keys = keys_to(source.records)
    if integration.map is None or keys is None or source.export is not None:
        return None
    if not is_plain_json(source.response):
        return None
    nodes = [parse_value(value) for value in integration.map.values()]
    nodes += [parse_expression(text) for text in _conditions(integration)]
    exact = asks_for_digits(nodes)
    shape = _shape(integration)
    return Projection(shape, keys, exact=exact) if shape is not None or exact else None


def projected(plan: ReadPlan, projection: Projection | None) -> ReadPlan:
    """Return the plan that decodes its records, or those of all parents, by the projection."""
    if projection is None:
        return plan
    if plan.children is None:
        return replace(plan, answers=plan.answers.projected(projection))
    part = plan.children.part

    def projected_part(record: Any, mark: Any) -> ReadPlan:
        return projected(part(record, mark), projection)

    return replace(plan, children=replace(plan.children, part=projected_part))


def _shape(integration: Integration) -> Shape | None:
    source, incremental = integration.source, integration.source.incremental
    cursor = incremental.cursor if incremental else None
    appends = any(push.mode == "append" for push in integration.push.all)
    by_content = appends and cursor is not None
    if integration.partitions is not None:
        return None  # records get a field that is not theirs
    if by_content or source.parent is not None or source.response.failed is not None:
        return None
    values = (integration.map or {}).values()
    shape = shape_of(_conditions(integration), values, [] if cursor is None else [cursor])
    return None if shape.whole else shape


def _conditions(integration: Integration) -> list[str]:
    deleted = integration.push.deleted
    return [
        *([] if integration.source.filter is None else [integration.source.filter]),
        *([] if deleted is None else [deleted.when]),
    ]


def is_plain_json(response: ResponseSettings) -> bool:
    """Whether bodies are JSON that nothing but the records' reading looks at."""
    judged = (response.success, response.retry, response.unauthorized)
    return response.format == "auto" and response.charset is None and judged == (None,) * 3
