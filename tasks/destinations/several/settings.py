"""`push` with several destinations: a list of them, or one whose `to` is a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapSerializer,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from astrio.tasks.destinations.settings import PushSettings


class SeveralPush(PushSettings):
    """Several destinations; seen as one, it is the first of them.

    Attributes:
        every: all of them, in the order of the file.
    """

    every: tuple[PushSettings, ...] = ()

    @classmethod
    def of(cls, every: tuple[PushSettings, ...]) -> SeveralPush:
        """Return these destinations as one."""
        first = {name: getattr(every[0], name) for name in PushSettings.model_fields}
        return cls.model_construct(**first, every=every)

    @property
    def all(self) -> tuple[PushSettings, ...]:
        """Every destination by itself, in the order of the file."""
        return self.every

    @property
    def staged(self) -> bool:
        """Whether what a run writes to any of them is seen at its end, or not at all."""
        return any(each.staged for each in self.every)


def together(every: tuple[PushSettings, ...]) -> PushSettings:
    """Return one destination as it is, and several as one."""
    return every[0] if len(every) == 1 else SeveralPush.of(every)


def spread(push: Any) -> list[Any] | None:
    """Return the destinations that `push` lists, None where it is one."""
    if isinstance(push, list | tuple):
        return [each for item in push for each in spread(item) or [item]]
    if isinstance(push, Mapping) and isinstance(push.get("to"), list | tuple):
        return [{**push, "to": each} for each in push["to"]]
    return None


_EVERY: Final = TypeAdapter(Annotated[tuple[PushSettings, ...], Field(min_length=1)])


def _read(value: Any, handler: ValidatorFunctionWrapHandler) -> PushSettings:
    given = spread(value)
    if given is None:
        return handler(value)  # type: ignore[no-any-return]  # what it is for
    every = _EVERY.validate_python(given)
    places = [(each.to, each.table.lower()) for each in every]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise ValueError(
                f"two destinations are the same: `{every[number].table}` stands in `push` twice"
            )
    wanted = {(each.deleted and each.deleted.when, each.version, each.key) for each in every}
    if len(wanted) > 1 and any(each.deleted is not None for each in every):
        raise ValueError(
            "`deleted` needs the same expression, `key` and `version` in every destination: "
            "a record that tells of a deletion is taken out for all of them"
        )
    if len(every) > 1 and any(each.unchanged == "skip" for each in every):
        raise ValueError("`unchanged: skip` is for one destination, and these are several")
    return together(every)


def _dump(push: PushSettings, handler: SerializerFunctionWrapHandler) -> Any:
    return handler(push) if len(push.all) == 1 else [handler(each) for each in push.all]


class _OrList:
    """Lets the JSON Schema take a list, and a list as `to`."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        one = handler(core_schema)
        many = {"type": "array", "items": one, "minItems": 1}
        to = {"type": "array", "minItems": 1}
        fanned = {"type": "object", "required": ["to"], "properties": {"to": to}}
        return {"anyOf": [one, many, fanned]}


AnyPush = Annotated[PushSettings, WrapValidator(_read), WrapSerializer(_dump), _OrList()]
"""The type of `push`: one destination, or several."""
