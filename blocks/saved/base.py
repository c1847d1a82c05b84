"""What every astrio block is, and how its class is derived from a plain frozen model."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Annotated, Any, ClassVar, Self, Union, get_args

from prefect.blocks.core import Block
from prefect.client.schemas import BlockDocument
from prefect.types import SecretDict
from pydantic import ConfigDict, Field, Secret, SecretStr

from astrio.blocks.auth.base import Auth
from astrio.blocks.storable import Storable
from astrio.blocks.store.document import Document
from astrio.blocks.store.form import Form, FormField, form_of

_schemas: dict[Any, dict[str, Any]] = {}


class SavedBlock(Block):
    """Base of all astrio blocks; the plain model behind each is what astrio works with."""

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _model: ClassVar[type[Storable]]

    def get(self) -> Storable:
        """Return the plain frozen model, such as `astrio.blocks.api.RestApi`.

        Raises:
            ConfigurationError: the block is half filled.
        """
        return self._document().plain()

    @classmethod
    def model_json_schema(cls, *how: Any, **named: Any) -> dict[str, Any]:
        """Return the schema, which is made once.

        Prefect asks for it about a thousand times to save one block with a picker, and making it
        takes milliseconds each time, for every block that may be picked.
        """
        asked = (cls, how, tuple(sorted(named.items())))
        if asked not in _schemas:
            _schemas[asked] = super().model_json_schema(*how, **named)
        return deepcopy(_schemas[asked])

    def _document(self) -> Document:
        fields = form_of(self._model)
        data = {field.name: _in_clear(getattr(self, field.name)) for field in fields}
        return Document(
            slug=self._model.slug(),
            name=self._block_document_name or "",
            data=data,
            nested={
                field.name: (nested._model.slug(), nested._block_document_name or "")
                for field in fields
                if isinstance(nested := getattr(self, field.name), SavedBlock)
            },
        )

    @classmethod
    def _from_block_document(cls, block_document: BlockDocument) -> Self:
        """Let the type of each block that was picked be known, not guessed from its fields."""
        for name, reference in block_document.block_document_references.items():
            nested = block_document.data.get(name)
            if isinstance(nested, dict):
                slug = reference["block_document"]["block_type"]["slug"]
                block_document.data[name] = {**nested, "block_type_slug": slug}
        return super()._from_block_document(block_document)


@cache
def block_class(model: type[Storable]) -> type[SavedBlock]:
    """Return the Prefect block of a plain model: its form's fields, flat, secrets as secrets."""
    name = _class_name(model)
    fields = form_of(model)
    body: dict[str, Any] = {field.name: _field(field) for field in fields}
    body |= {
        "__module__": "astrio.blocks.saved.classes",
        "__qualname__": name,
        "__doc__": model.__doc__,
        "__annotations__": {field.name: _annotation(field) for field in fields},
        "_model": model,
        "_block_type_name": f"astrio {model.title}",
        "_block_type_slug": model.slug(),
        "_description": model.summary,
        "_code_example": model.example,
    }
    body["__annotations__"]["_model"] = ClassVar[type[Storable]]
    metaclass: Any = type(SavedBlock)
    made: type[SavedBlock] = metaclass(name, (SavedBlock,), body)
    return made


def _class_name(model: type[Storable]) -> str:
    """Return the class's name, which Prefect's UI also writes on a tab.

    It must be the title of the schema too, or the UI does not find the fields of what is picked.
    """
    if issubclass(model, Auth):
        return "".join(word[:1].upper() + word[1:] for word in model.title.split())
    return f"{model.__name__}Block"  # its own name is the plain model's


def _annotation(field: FormField) -> Any:
    match field.form:
        case Form.SECRET:
            return SecretStr
        case Form.SECRET_MAP:
            return SecretDict
        case Form.LIST:
            return str
        case Form.AUTH:
            return _picker(field.annotation)
        case _ if field.bounds:
            return Annotated[(field.annotation, *field.bounds)]
        case _:
            return field.annotation


def _picker(union: Any) -> Any:
    """Return the union of the blocks that may be picked.

    Prefect's UI draws it as one tab for each, with a picker and a button that adds a new one. One
    must be picked, be it no authentication: when a block that was picked is deleted, Prefect drops
    the field, and that must not read as "send no credentials".
    """
    return Union[tuple(block_class(each) for each in get_args(union))]  # noqa: UP007 (built at run time)


def _field(field: FormField) -> Any:
    words: dict[str, Any] = {
        "title": field.name.replace("_", " ").capitalize().replace("url", "URL"),
        "description": field.description,
    }
    if field.required:
        return Field(**words)
    if field.form is Form.SECRET:
        return Field(default=SecretStr(""), **words)
    if field.form is Form.SECRET_MAP:
        return Field(default_factory=lambda: SecretDict({}), **words)
    return Field(default=field.default, **words)


def _in_clear(value: Any) -> Any:
    if isinstance(value, Secret | SecretStr):
        return value.get_secret_value()
    return dict(value._document().data) if isinstance(value, SavedBlock) else value
