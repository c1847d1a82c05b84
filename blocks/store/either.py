"""A place that takes a connection, written out or by the name that it is saved under."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar, Union

from pydantic import AfterValidator, Discriminator, Tag, WithJsonSchema

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store.names import PATTERN, check_name

T = TypeVar("T")


def or_saved(model: type[Any], example: str) -> Any:
    """Return a pydantic type: this model, written out as `example`, or a saved one's name."""

    def name(text: str) -> str:
        if "://" in text:
            raise ValueError(f"expected a mapping: {example}, or the name of a saved connection")
        return check_name(text)

    saved = Annotated[
        str, AfterValidator(name), WithJsonSchema({"type": "string", "pattern": PATTERN})
    ]
    return Annotated[
        Union[Annotated[model, Tag("inline")], Annotated[saved, Tag("saved")]],  # noqa: UP007 (built at run time)
        Discriminator(lambda value: "saved" if isinstance(value, str) else "inline"),
    ]


def written_out(value: T | str, key: str) -> T:
    """Return the connection that `key` holds.

    Raises:
        ConfigurationError: it is still a name; what is saved under it has not been read.
    """
    if isinstance(value, str):
        raise ConfigurationError(f"`{key}: {value}` names a saved connection that was not read.")
    return value
