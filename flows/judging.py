"""What judges the records of an integration: its mapping, or the user's own function."""

from __future__ import annotations

from astrio.flows.integration import Integration
from astrio.tasks.mapping.compile import CompiledMapping, compile_expression, compile_mapping
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.deletions import Deletions
from astrio.tasks.mapping.keyed import Keyed
from astrio.tasks.python.rules import model_or_function
from astrio.tasks.python.transform import PythonTransform
from astrio.tasks.rules.compile import CompiledRules, compile_rules
from astrio.tasks.rules.model import compile_model


def judging(
    integration: Integration, context: MappingContext
) -> tuple[CompiledMapping, CompiledRules]:
    """Return what maps the integration's records, and what judges them, by this clock.

    Raises:
        ConfigurationError: the mapping or the rules have mistakes, or there is no such model.
    """
    mapping = mapping_of(integration, context)
    key = integration.push.key
    keyed: CompiledMapping = Keyed(mapping, key) if key else mapping
    deleted, version = integration.push.deleted, integration.push.version
    if deleted is not None:
        keyed = Deletions(keyed, compile_expression(deleted.when, context), key, version)
    return keyed, rules_of(integration, mapping.columns, context)


def mapping_of(integration: Integration, context: MappingContext) -> CompiledMapping:
    """Return what turns the integration's records into rows.

    Raises:
        ConfigurationError: the mapping has mistakes, or there is no such function.
    """
    key = integration.push.key
    if integration.transform is not None:
        return PythonTransform(integration.transform, context, key)
    return compile_mapping(integration.map, context, key=key)


def rules_of(
    integration: Integration, columns: tuple[str, ...] | None, context: MappingContext
) -> CompiledRules:
    """Return what judges the integration's rows: its rules, a model, or the user's own function.

    Raises:
        ConfigurationError: the rules have mistakes, or there is no such model.
    """
    key = integration.push.key
    if isinstance(integration.rules, str):
        return compile_model(model_or_function(integration.rules), columns, key=key)
    return compile_rules(integration.rules, columns, key=key, context=context)
