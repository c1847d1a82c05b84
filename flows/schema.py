"""The JSON Schema (2020-12) with which editors complete and check integration files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from astrio.flows.integration import Integration
from astrio.flows.trigger import TriggerFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def integration_schema() -> dict[str, Any]:
    """Return the schema of an integration file.

    Keys are canonical (`snake_case`). The `camelCase` spelling of each is valid too, so it stands
    beside it, but marked so that editors do not propose it.
    """
    return _schema_of(Integration, "astrio integration")


def trigger_schema() -> dict[str, Any]:
    """Return the schema of a trigger file, as that of an integration."""
    return _schema_of(TriggerFile, "astrio trigger")


def _schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.pop("$defs")
    for name, definition in definitions.items():
        for pointer, mapping in _mappings(definition, f"#/$defs/{name}"):
            _spell_both_ways(mapping, pointer)
    _spell_both_ways(schema, "#")
    schema["properties"]["$schema"] = {"type": "string", "description": "For editors."}
    schema["title"] = title
    return {"$schema": DIALECT, **schema, "$defs": definitions}


def _mappings(definition: dict[str, Any], pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the mapping that a model is, or the one that stands beside a word in its place."""
    if "anyOf" not in definition:
        yield pointer, definition
    for place, either in enumerate(definition.get("anyOf", ())):
        if either.get("type") == "object":
            yield f"{pointer}/anyOf/{place}", either


def _spell_both_ways(definition: dict[str, Any], pointer: str) -> None:
    definition["additionalProperties"] = False
    properties: dict[str, Any] = definition.get("properties", {})
    for name, details in list(properties.items()):
        details.pop("title", None)  # pydantic's titles repeat the key
        details.pop("discriminator", None)  # OpenAPI's, unknown to JSON Schema
        if (camel := to_camel(name)) != name:
            same = f"{pointer}/properties/{name}"
            properties[camel] = {"$ref": same, "deprecated": True, "doNotSuggest": True}
    required: list[str] = definition.setdefault("required", [])
    if "const" in properties.get("type", {}):
        required.append("type")
    either = [
        {"anyOf": [{"required": [name]}, {"required": [to_camel(name)]}]}
        for name in required
        if to_camel(name) != name
    ]
    if either:
        definition["required"] = [name for name in required if to_camel(name) == name]
        definition["allOf"] = either
