"""Integrations to begin from, one YAML file each; `astrio new NAME --template …` copies one."""

from __future__ import annotations

import re
from importlib.resources import files

from astrio.blocks.errors import ConfigurationError

_NAME = re.compile(r"^name: .*$", re.MULTILINE)
_DESCRIPTION = re.compile(r"^description: (.*)$", re.MULTILINE)
SCHEMA_FILE = "integration.schema.json"
SCHEMA_HINT = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"


def template_names() -> dict[str, str]:
    """Return each template's description by its name, in alphabetical order."""
    found = sorted(
        entry.name.removesuffix(".yaml")
        for entry in files(__name__).iterdir()
        if entry.name.endswith(".yaml")
    )
    return {name: _described(_text(name)) for name in found}


def template(template_name: str, name: str | None = None) -> str:
    """Return a template's text, with the integration named `name` if that is given.

    Raises:
        ConfigurationError: there is no such template.
    """
    if template_name not in template_names():
        raise ConfigurationError(
            f"There is no template {template_name}.",
            advice=f"There are: {', '.join(template_names())}.",
        )
    text = _text(template_name)
    return text if name is None else _NAME.sub(f"name: {name}", text, count=1)


def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _described(text: str) -> str:
    found = _DESCRIPTION.search(text)
    return found[1] if found else ""
