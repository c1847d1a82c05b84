"""The base of all settings models, and unions of settings found in a package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any, TypeVar, Union

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _spellings(name: str) -> str | AliasChoices:
    camel = to_camel(name)
    return name if camel == name else AliasChoices(name, camel)


class Settings(BaseModel):
    """A frozen model that refuses unknown keys and reads `snake_case` and `camelCase` alike.

    What astrio writes (dumps, JSON Schema, flow parameters) is always `snake_case`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        hide_input_in_errors=True,  # it may be a literal secret
        alias_generator=AliasGenerator(validation_alias=_spellings),
    )


T = TypeVar("T")


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Import and yield every module directly inside `package`, in alphabetical order."""
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        yield importlib.import_module(f"{package.__name__}.{info.name}")


def subclasses_in(package: ModuleType, base: type[T]) -> list[type[T]]:
    """Return the concrete subclasses of `base` that the modules of `package` define.

    This is how a new part is found without a registry: one new file in the package.
    """
    found: list[type[T]] = []
    for module in modules_of(package):
        for _, member in inspect.getmembers(module, inspect.isclass):
            defined_here = member.__module__ == module.__name__
            if not defined_here or member is base or inspect.isabstract(member):
                continue
            if issubclass(member, base):
                found.append(member)
    return found


def tagged_union(package: ModuleType, base: type[Any]) -> Any:
    """Return a pydantic type: any subclass of `base` in `package`, told apart by its `type` key."""
    return Annotated[Union[tuple(subclasses_in(package, base))], Field(discriminator="type")]  # noqa: UP007 (built at run time)
