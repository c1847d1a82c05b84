"""What judges the records of an integration: its mapping, or the user's own function."""

from __future__ import annotations

from astrio.flows.integration import Integration
from astrio.tasks.mapping.compile import CompiledMapping, compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.python.transform import PythonTransform


def mapping_of(integration: Integration, context: MappingContext) -> CompiledMapping:
    """Return what turns the integration's records into rows.

    Raises:
        ConfigurationError: the mapping has mistakes, or there is no such function.
    """
    key = integration.push.key
    if integration.transform is not None:
        return PythonTransform(integration.transform, context, key)
    return compile_mapping(integration.map, context, key=key)
