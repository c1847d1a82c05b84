"""Whether a run reads just some fields of its records, so that only these need be decoded."""

from __future__ import annotations

from astrio.flows.integration import Integration
from astrio.tasks.decode.keys import keys_to
from astrio.tasks.decode.projection import Projection
from astrio.tasks.mapping.shape import shape_of


def projection_of(integration: Integration) -> Projection | None:
    """Return what decodes only the fields that the mapping, filter and cursor read.

    None: whole records are looked at (no mapping, a JSONPath that searches them, a function of
    the user's own, errors among the records, what is compared by content), or there is no gain.
    """
    source, incremental = integration.source, integration.source.incremental
    keys = keys_to(source.records)
    cursor = incremental.cursor if incremental else None
    by_content = integration.push.mode == "append" and cursor is not None
    if integration.map is None or keys is None or by_content or not _is_plain(integration):
        return None
    expressions = [] if source.filter is None else [source.filter]
    shape = shape_of(expressions, integration.map.values(), [] if cursor is None else [cursor])
    return None if shape.whole else Projection(shape, keys)


def _is_plain(integration: Integration) -> bool:
    source, response = integration.source, integration.source.response
    judged = (response.success, response.retry, response.unauthorized, response.failed)
    return (
        source.parent is None
        and source.export is None
        and response.format == "auto"
        and response.charset is None
        and judged == (None,) * len(judged)
    )
