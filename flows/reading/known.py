"""What the model knows: the keys that may stand at a place, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel, to_snake
from pydantic.fields import FieldInfo

from astrio.flows.integration import Integration


@dataclass(frozen=True, slots=True)
class Known:
    """The models that may stand at a place of the file: one, several in a union, or none.

    Attributes:
        models: these.
        free: they stand below keys that the file's author chooses.
    """

    models: tuple[type[BaseModel], ...]
    free: bool = False

    @classmethod
    def top(cls) -> Known:
        """Return what may stand at the top of a file."""
        return cls((Integration,))

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """Every field by its canonical (snake_case) key."""
        return {} if self.free else _fields(self.models)

    @property
    def tags(self) -> dict[str, type[BaseModel]]:
        """The models of a union by the `type` that selects them."""
        return {
            tag: model
            for model in self.models
            if "type" in model.model_fields and len(self.models) > 1
            for tag in get_args(model.model_fields["type"].annotation)
        }

    def below(self, key: str) -> Known:
        """Return what may stand below `key`, in either spelling."""
        if self.free:
            return Known(self.models)
        field = self.fields.get(key) or self.fields.get(to_snake(key))
        if field is None:
            return Known(())
        return Known(tuple(_models_in(field.annotation)), free=_is_free(field.annotation))

    def narrowed(self, name: str) -> Known:
        """Return the one model of a union that has this tag or class name, or all of them."""
        named = {model.__name__: model for model in self.models} | self.tags
        return Known((named[name],)) if name in named else self

    def home_of(self, key: str) -> str:
        """Return the one dotted path below this place where `key` belongs, or an empty text.

        Of several, the shortest: a parent has a request of its own, but is seldom meant.
        """
        wanted = f".{to_snake(key)}"
        homes = [path for path in _paths(self.models) if path.endswith(wanted)]
        depth = min((path.count(".") for path in homes), default=0)
        near = [path for path in homes if path.count(".") == depth]
        return near[0] if len(near) == 1 else ""


@cache
def _fields(models: tuple[type[BaseModel], ...]) -> dict[str, FieldInfo]:
    return {
        field.alias or name: field for model in models for name, field in model.model_fields.items()
    }


@cache
def _paths(models: tuple[type[BaseModel], ...]) -> list[str]:
    """Return the dotted path of every key below the keys of these models."""
    found: list[str] = []
    for key, field in _fields(models).items():
        inner = () if _is_free(field.annotation) else tuple(_models_in(field.annotation))
        found += (f"{key}.{name}" for name in _fields(inner))
        found += (f"{key}.{path}" for path in _paths(inner))
    return found


def _is_free(annotation: Any) -> bool:
    return get_origin(annotation) is dict


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def closest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that `word` was probably meant to be, or an empty text.

    A camelCase word gets a camelCase suggestion.
    """
    plain = {_plain(choice): choice for choice in choices}
    wanted = _plain(word)
    found = get_close_matches(wanted, plain, n=1, cutoff=0.7)
    if not found:
        return ""
    choice = plain[found[0]]
    return to_camel(choice) if word != word.lower() and "_" in choice else choice


@lru_cache(maxsize=1024)
def _plain(word: str) -> str:
    return to_snake(word.replace("-", "_")).lower()
