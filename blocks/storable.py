"""What can be saved as a Prefect block: connections and authentications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic.alias_generators import to_snake

from astrio.blocks.settings import Settings


class Storable(Settings):
    """Base of the models that a Prefect block is derived from.

    A field that has been released is never renamed: what is saved carries its name.

    Attributes:
        title: what people call it; the block type's name is `astrio TITLE`.
        summary: one or two sentences about it, shown with the block type.
        example: how it is used once it is saved, as a fenced block of code; `NAME` is its name.
        secret_fields: the fields that hold secrets, or references to them.
        sometimes_secret: other fields that some vendors put a secret into; saved as secrets too.
        text_fields: the fields that a form holds as one text, whatever they are in the model.
        flat_defaults: the default of a field whose saved form is simpler than its own.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    example: ClassVar[str]
    secret_fields: ClassVar[tuple[str, ...]] = ()
    sometimes_secret: ClassVar[tuple[str, ...]] = ()
    text_fields: ClassVar[tuple[str, ...]] = ()
    flat_defaults: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def kind(cls) -> str:
        """Return the name of the type on the command line, such as `rest_api`."""
        return to_snake(cls.__name__)

    @classmethod
    def slug(cls) -> str:
        """Return the slug of the block type, such as `astrio-rest-api`."""
        return f"astrio-{cls.kind().replace('_', '-')}"
