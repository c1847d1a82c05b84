"""Saving a connection, or changing a saved one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.storable import Storable
from astrio.blocks.store import reader
from astrio.blocks.store.document import Document, Nested
from astrio.blocks.store.door import Door
from astrio.blocks.store.form import Form, form_of
from astrio.blocks.store.kinds import authentications, kinds, named
from astrio.blocks.store.names import check_name
from astrio.deployments.connections.words import Ask, data_of, merged


def add(  # noqa: PLR0913 (what the command line gives)
    door: Door,
    name: str,
    model: type[Storable],
    words: Sequence[str],
    variables: Sequence[str],
    *,
    ask: Ask,
    replace: bool,
) -> str:
    """Save a connection and return what was done, in a word.

    Raises:
        ConfigurationError: the name cannot be one, or is taken; a field is missing or wrong; or
            an authentication that is named is not saved.
    """
    try:
        check_name(name)
    except ValueError as error:
        raise ConfigurationError(f"`{name}`: {error}.") from None
    before = reader.find(door, name, model)
    if before is not None and not replace:
        raise ConfigurationError(
            f"{_capital(named(model))} `{name}` is saved already.",
            advice="--replace changes the fields that you give, and keeps the others.",
        )
    data = data_of(model, words, variables, ask)
    data = merged(before.data if before else {}, data)
    nested = dict(before.nested) if before else {}
    for field in form_of(model):
        if field.form is Form.AUTH:
            _choose(door, field.name, data, nested)
        elif field.required and field.secret and not data.get(field.name):
            data[field.name] = _asked(field.name, field.form, ask)
    document = Document(model.slug(), name, data, nested)
    document.check()
    from astrio.blocks.saved.saving import save

    save(model, document)
    return "changed" if before else "saved"


def _asked(name: str, form: Form, ask: Ask) -> Any:
    if form is Form.SECRET_MAP:
        raise ConfigurationError(f"`{name}` is empty.", advice=f"Give {name}.NAME=- for each.")
    return ask(name)


def _choose(door: Door, field: str, data: dict[str, Any], nested: dict[str, Nested]) -> None:
    """Let the field refer to the saved authentication whose name was given; `none` is none."""
    given = data.get(field, "none")
    if not isinstance(given, str):
        return  # what was chosen before
    kind, _, name = given.rpartition("/")
    if given == "none":
        model = kinds()["none"]
        data[field] = {"block_type_slug": model.slug()}
        nested.pop(field, None)
        return
    models = [each for each in authentications() if kind in ("", each.kind())]
    found = [each for each in models if reader.find(door, name, each)]
    if len(found) != 1:
        raise _unclear(field, given, found)
    document = reader.find(door, name, found[0])
    assert document is not None
    data[field] = dict(document.data)
    nested[field] = (found[0].slug(), name)


def _unclear(field: str, given: str, found: Sequence[type[Storable]]) -> ConfigurationError:
    if found:
        choices = " or ".join(f"{field}={each.kind()}/{given}" for each in found)
        return ConfigurationError(f"`{given}` is saved several times.", advice=f"Give {choices}.")
    auths = ", ".join(each.kind() for each in authentications())
    return ConfigurationError(
        f"There is no saved authentication `{given}`.",
        advice=f"Save it first: astrio connections add {given} KIND FIELD=VALUE… "
        f"(kinds are {auths}).",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
