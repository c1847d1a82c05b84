"""The flat form that a connection is saved in: one level of fields, as forms and commands show it.

A nested model's fields move up (`limits.concurrency` becomes `concurrency`), a list of texts is
one text with commas, an optional text is empty, and where a field takes a model or a plain value
(`timeout`), the form takes the plain one. The block classes, the reading of what they have saved
and `astrio connections add` all follow this one description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Optional, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from astrio.blocks.auth.base import Auth
from astrio.blocks.settings import Settings
from astrio.blocks.storable import Storable

_SEPARATOR = re.compile(r"[\s,]+")


class Form(Enum):
    """What a field looks like in a form."""

    TEXT = "text"
    SECRET = "a secret text"  # noqa: S105 (a kind of field)
    MAP = "texts by name"
    SECRET_MAP = "secret texts by name"  # noqa: S105 (a kind of field)
    LIST = "texts with commas"
    AUTH = "a saved authentication"
    PLAIN = "a number, a choice, yes or no"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form.

    Attributes:
        name: its name, unique within the form.
        path: where its value belongs in the model.
        form: what it looks like.
        annotation: the type of its value.
        required: whether it must be given.
        default: what it is otherwise.
        description: one or two sentences for people.
        bounds: pydantic's constraints on a number.
    """

    name: str
    path: tuple[str, ...]
    form: Form
    annotation: Any
    required: bool
    default: Any
    description: str
    bounds: tuple[Any, ...] = ()

    @property
    def secret(self) -> bool:
        """Whether its value is kept from sight."""
        return self.form in (Form.SECRET, Form.SECRET_MAP)


@cache
def form_of(model: type[Storable]) -> tuple[FormField, ...]:
    """Return the fields of a model's form, in its order."""
    return tuple(_fields(model, model, ()))


def to_settings(model: type[Storable], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the model is validated from; what is empty in the form is left out."""
    settings: dict[str, Any] = {}
    for field in form_of(model):
        value = data.get(field.name)
        if value is None or value == "":
            continue
        if field.form is Form.LIST and isinstance(value, str):
            value = [part for part in _SEPARATOR.split(value) if part]
        place = settings
        for step in field.path[:-1]:
            place = place.setdefault(step, {})
        place[field.path[-1]] = value
    return settings


def in_form(field: FormField, value: Any) -> Any:
    """Return a value as the form holds it: texts with commas instead of a list."""
    return (
        ", ".join(map(str, value))
        if field.form is Form.LIST and not isinstance(value, str)
        else value
    )


def _fields(
    model: type[Settings], root: type[Storable], above: tuple[str, ...]
) -> Iterator[FormField]:
    for name, info in model.model_fields.items():
        kinds = _kinds(name, info, root)
        nested = [kind for kind in kinds if _is_settings(kind)]
        if name == "type" and issubclass(model, Auth):
            continue
        if nested == kinds and len(nested) == 1:
            yield from _fields(nested[0], root, (*above, name))
        else:
            yield _field(name, info, root, above)


def _field(name: str, info: FieldInfo, root: type[Storable], above: tuple[str, ...]) -> FormField:
    kinds = [kind for kind in _kinds(name, info, root) if kind is not NoneType]
    auth = all(_is_settings(kind) for kind in kinds)
    plain = [kind for kind in kinds if not _is_settings(kind)]
    annotation: Any = info.annotation if auth else plain[0]
    form = Form.AUTH if auth else _form(name, annotation, root)
    if form is Form.PLAIN and info.default is None:
        annotation = Optional[annotation]  # noqa: UP045 (made at run time; nothing is saved as null)
    default = root.flat_defaults.get(name) or info.get_default(call_default_factory=True)
    if form in (Form.TEXT, Form.SECRET, Form.LIST):
        default = ""
    return FormField(
        name=name,
        path=(*above, name),
        form=form,
        annotation=annotation,
        required=info.is_required() or auth,  # deleted is not the same as none
        default=None if auth else default,
        description=info.description or "",
        bounds=tuple(info.metadata) if form is Form.PLAIN else (),
    )


def _kinds(name: str, info: FieldInfo, root: type[Storable]) -> list[Any]:
    return [str] if name in root.text_fields else _alternatives(info.annotation)


def _form(name: str, annotation: Any, root: type[Storable]) -> Form:
    hidden = name in (*root.secret_fields, *root.sometimes_secret)
    if hidden and annotation is Any:
        return Form.SECRET
    if annotation is str:
        return Form.SECRET if hidden else Form.TEXT
    if get_origin(annotation) is dict:
        return Form.SECRET_MAP if hidden else Form.MAP
    return Form.LIST if get_origin(annotation) is tuple else Form.PLAIN


def _alternatives(annotation: Any) -> list[Any]:
    """Return the members of a union, or the annotation itself."""
    union = get_origin(annotation) in (Union, UnionType)
    return list(get_args(annotation)) if union else [annotation]


def _is_settings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Settings)
