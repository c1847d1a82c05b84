"""A saved block as Prefect's API gives it, and the plain frozen model in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.secrets import is_reference
from astrio.blocks.storable import Storable
from astrio.blocks.store.form import Form, FormField, form_of, to_settings
from astrio.blocks.store.kinds import kind_with_slug
from astrio.blocks.tokens import TokenAuth

# Values that many requests share; masking them would garble texts and protect nothing.
_PLAIN_HEADERS = frozenset(
    ("accept", "accept-charset", "accept-language", "cache-control", "content-type", "user-agent")
)


Nested = tuple[str, str]
"""Slug of the block type, and name, of what a field refers to."""


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A saved block.

    Attributes:
        slug: of its block type.
        name: its own, unique within the type.
        data: its flat fields, secrets in clear.
        nested: (slug, name) of the saved block that a field refers to.
        id: Prefect's, empty for a block that is not saved.
    """

    slug: str
    name: str
    data: Mapping[str, Any]
    nested: Mapping[str, Nested]
    id: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Document:
        """Read what the API answers."""
        return cls(
            slug=document["block_type"]["slug"],
            name=document["name"] or "",
            data=document["data"],
            nested={
                field: _identity(reference)
                for field, reference in (document.get("block_document_references") or {}).items()
            },
            id=str(document["id"]),
        )

    def plain(self) -> Storable:
        """Return the plain model, every literal secret of it remembered for redaction.

        Raises:
            ConfigurationError: it is half filled; the text names each field, and the command that
                mends it.
        """
        model = _kind(self.slug, self.name)
        settings = self._settings(model)
        try:
            return model.model_validate(settings)
        except ValidationError as error:
            raise self._half_filled(model, error) from None

    def check(self) -> None:
        """Refuse what must not be saved.

        Raises:
            ConfigurationError: a field is missing or wrong; the text names each.
        """
        model = _kind(self.slug, self.name)
        try:
            model.model_validate(self._settings(model))
        except ValidationError as error:
            faults = [_Fault.of(self, model, each) for each in error.errors(include_url=False)]
            raise ConfigurationError(
                f"The {model.title} `{self.name}` was not saved: "
                f"{'; '.join(fault.words for fault in faults)}.",
                advice="Give each field as FIELD=VALUE.",
            ) from None

    def _settings(self, model: type[Storable]) -> dict[str, Any]:
        data = dict(self.data)
        for field in form_of(model):
            if field.form is Form.AUTH:
                data[field.name] = self._nested_settings(model, field)
            elif field.secret:
                for secret in _secrets(data.get(field.name)):
                    remember(secret)
        if issubclass(model, TokenAuth):
            data["account"] = data.get("account") or self.name
        return to_settings(model, data)

    def _nested_settings(self, model: type[Storable], field: FormField) -> dict[str, Any]:
        """Return the settings of the authentication that was picked.

        Where there is nothing, the saved authentication has been deleted, or the form was left
        without a choice; either must not end in requests without credentials.
        """
        value = self.data.get(field.name)
        slug = self.nested.get(field.name, ("", ""))[0] or (value or {}).get("block_type_slug", "")
        if not isinstance(value, Mapping) or not slug:
            raise ConfigurationError(
                f"The saved {model.title} `{self.name}` has no `{field.name}`: what it referred to "
                "was deleted, or nothing was chosen.",
                advice=f"Choose one in the Prefect UI, or: astrio connections add {self.name} "
                f"{model.kind()} --replace {field.name}=SAVED_NAME (or {field.name}=none).",
            )
        document = Document(slug, self.nested.get(field.name, ("", self.name))[1], value, {})
        kind = _kind(slug, document.name)
        return {"type": kind.kind(), **document._settings(kind)}

    def _half_filled(self, model: type[Storable], error: ValidationError) -> ConfigurationError:
        faults = [_Fault.of(self, model, each) for each in error.errors(include_url=False)]
        return ConfigurationError(
            f"The saved {model.title} `{self.name}` is half filled: "
            f"{'; '.join(fault.words for fault in faults)}.",
            advice=f"Mend it in the Prefect UI, or: {faults[0].command}",
        )


@dataclass(frozen=True, slots=True)
class _Fault:
    words: str
    command: str

    @classmethod
    def of(cls, document: Document, model: type[Storable], error: Any) -> _Fault:
        """Describe one of pydantic's errors by the field of the form that it concerns."""
        steps = [str(step) for step in error["loc"]]
        name, kind, prefix = document.name, model.kind(), ""
        if nested := [field for field in steps[:1] if field in _picked(model)]:
            slug, saved = document.nested.get(nested[0], ("", ""))
            own = kind_with_slug(slug)
            steps = steps[2:]  # the tag of the union comes second
            name, kind = (saved, own.kind()) if own else (name, kind)
            prefix = "" if own else f"{nested[0]}."
        field = steps[-1] if steps else ""
        told = _words(error)
        where = f"`{nested[0]}.{field}`".replace(".`", "`") if nested else f"`{field}`"
        words = f"{where} {told}" if field or nested else told
        given = f"{prefix}{field or 'FIELD'}"
        return cls(words, f"astrio connections add {name} {kind} --replace {given}=…")


def _words(error: Any) -> str:
    if error["type"] == "missing" or error.get("ctx", {}).get("min_length") == 1:
        return "is empty"
    return str(error["msg"]).removeprefix("Value error, ").replace("Input should", "should")


def _picked(model: type[Storable]) -> list[str]:
    return [field.name for field in form_of(model) if field.form is Form.AUTH]


def _kind(slug: str, name: str) -> type[Storable]:
    model = kind_with_slug(slug)
    if model is None:
        raise ConfigurationError(
            f"The saved block `{name}` is of the type `{slug}`, which this version of astrio "
            "does not know.",
            advice="Upgrade astrio, or choose another block.",
        )
    return model


def _identity(reference: Mapping[str, Any]) -> tuple[str, str]:
    block = reference["block_document"]
    return block["block_type"]["slug"], block["name"] or ""


def _secrets(value: Any) -> Iterator[str]:
    texts = value if isinstance(value, Mapping) else {"": value}
    for name, text in texts.items():
        if not isinstance(text, str) or name.lower() in _PLAIN_HEADERS:
            continue
        if not is_reference(text) and "://" not in text:  # a URL's model remembers its password
            yield text
