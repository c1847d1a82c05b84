"""An action as code gives it: a model, a dict, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.actions.settings import FILE_KEYS, Action, ActionFile, ActionPush
from astrio.tasks.scalars import resolve


def action_file(given: Action | ActionFile | Mapping[str, Any] | str | Path) -> ActionFile:
    """Return the action with what happens to the record before it.

    Args:
        given: a model; an object such as `{method, url, body}`, alone or in `push.to`; or the path
            of a YAML or JSON file with one.

    Raises:
        ConfigurationError: it has mistakes, or there is no such file.
    """
    if isinstance(given, ActionFile):
        return given
    if isinstance(given, Action):
        return ActionFile(push=ActionPush(to=given))
    if isinstance(given, str | Path):
        return _validated(_read(Path(given)), f"The action in {given}")
    return _validated(given, "The action")


def _validated(given: Any, what: str) -> ActionFile:
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{what} is no object.", advice="Write {method, url, body}.")
    entries = {key: value for key, value in given.items() if key != "$schema"}
    if "push" not in entries:
        own = {key: value for key, value in entries.items() if to_snake(str(key)) in FILE_KEYS}
        to = {key: value for key, value in entries.items() if key not in own}
        entries = {**own, "push": {"to": to}}
    try:
        return ActionFile.model_validate(entries)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
        raise ConfigurationError(
            f"{what} has mistakes: {told}.", advice="`astrio check FILE` tells their places."
        ) from None


def _read(path: Path) -> Any:
    try:
        # A subclass of the safe loader, which makes plain values only.
        return yaml.load(path.read_text("utf-8-sig"), Loader=_Loader)  # noqa: S506
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError(
            f"{path} cannot be read as YAML or JSON.",
            advice=f"`astrio check {path}` tells where.",
        ) from None


class _Loader(yaml.SafeLoader):
    """Reads scalars as `astrio check` does: keys are text, and so are `no` and `on`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own, not ours)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            key.style = key.style or "'"
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.YAMLError("a key is written twice")
        return made


def _scalar(_: _Loader, node: yaml.ScalarNode) -> Any:
    return node.value if node.style else resolve(str(node.value))


_Loader.add_constructor("tag:yaml.org,2002:str", _scalar)
