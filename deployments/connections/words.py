"""What the user gives on the command line, `FIELD=VALUE`, as the data of a form."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import PASSWORD, SENSITIVE_NAME, remember_password
from astrio.blocks.redaction import redact, remember
from astrio.blocks.secrets import is_reference
from astrio.blocks.storable import Storable
from astrio.blocks.store.form import Form, FormField, form_of

Ask = Callable[[str], str]
PROMPT = "-"
_MAPS = (Form.MAP, Form.SECRET_MAP)


def data_of(
    model: type[Storable], words: Sequence[str], variables: Sequence[str], ask: Ask
) -> dict[str, Any]:
    """Return the form's data; what the words do not name is left out.

    Args:
        model: whose form it is.
        words: `FIELD=VALUE`; of a map `FIELD.NAME=VALUE`; `-` as value asks for it.
        variables: `FIELD=VARIABLE`: takes the value from the environment now.
        ask: asks for a secret, by the field's name, so that nobody sees it.

    Raises:
        ConfigurationError: no such field, a value that is none, or a secret that is written out.
    """
    data: dict[str, Any] = {}
    for word in words:
        field, entry, value = _parted(model, word)
        if value == PROMPT:
            value = _secret(ask(word.partition("=")[0]), word)
        elif _shows_a_secret(model, field, entry, value):
            raise _written_out(word.partition("=")[0])
        _put(data, field, entry, value)
    for word in variables:
        field, entry, variable = _parted(model, word)
        value = os.environ.get(variable, "").rstrip("\r\n")
        if not value:
            raise ConfigurationError(
                f"The environment variable {variable} is not set, or is empty.",
                advice="--from-env takes FIELD=VARIABLE.",
            )
        _put(data, field, entry, _secret(value, word))
    return data


def merged(before: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of before with this put over it, maps entry by entry."""
    both = {**before, **data}
    for name, value in data.items():
        if isinstance(value, dict) and isinstance(before.get(name), Mapping):
            both[name] = {**before[name], **value}
    return both


def _parted(model: type[Storable], word: str) -> tuple[FormField, str, str]:
    """Return the field, the name within it if it is a map, and the value."""
    given, sign, value = word.partition("=")
    if not sign:
        raise ConfigurationError(
            f"`{word}` is no FIELD=VALUE.", advice=f"The fields are {_names(model)}."
        )
    name, _, entry = given.partition(".")
    field = next((each for each in form_of(model) if each.name == name), None)
    if field is None:
        raise ConfigurationError(
            f"A saved {model.title} has no field `{name}`.{_meant(model, name)}",
            advice=f"Its fields are {_names(model)}.",
        )
    if bool(entry) != (field.form in _MAPS):
        wanted = f"{name}.NAME=VALUE" if field.form in _MAPS else f"{name}=VALUE"
        raise ConfigurationError(f"`{given}` takes no value of its own: write {wanted}.")
    return field, entry, value


def _put(data: dict[str, Any], field: FormField, entry: str, value: str) -> None:
    if entry:
        data.setdefault(field.name, {})[entry] = value
    elif field.form is Form.PLAIN:
        data[field.name] = _converted(field, value)
    else:
        data[field.name] = value


def _converted(field: FormField, value: str) -> Any:
    try:
        return TypeAdapter(field.annotation).validate_python(value)
    except ValidationError as error:
        words = error.errors(include_url=False)[0]["msg"]
        raise ConfigurationError(f"`{field.name}={value}`: {words}.") from None


def _shows_a_secret(model: type[Storable], field: FormField, entry: str, value: str) -> bool:
    if not field.secret or is_reference(value) or not value:
        return False
    if field.name == "url":
        return PASSWORD.search(value) is not None
    if field.name in model.sometimes_secret:
        return redact(value) != value
    # The headers of a connection are mostly no secrets; those of an authentication always are.
    return not entry or model.kind() != "rest_api" or SENSITIVE_NAME.search(entry) is not None


def _written_out(field: str) -> ConfigurationError:
    return ConfigurationError(
        f"`{field}` is a secret, and what is written on a command line is seen by others.",
        advice="Give - as its value to be asked for it (or to read a line of standard input); "
        "or --from-env FIELD=VARIABLE; or '${env:VARIABLE}', which is looked up at each run.",
    )


def _secret(value: str, word: str) -> str:
    if not value:
        raise ConfigurationError(f"Nothing was given for `{word.partition('=')[0]}`.")
    if "://" in value:
        remember_password(value)  # the rest of a URL may be shown
    else:
        remember(value)
    return value


def _meant(model: type[Storable], name: str) -> str:
    meant = get_close_matches(name, [field.name for field in form_of(model)], n=1)
    return f" Did you mean `{meant[0]}`?" if meant else ""


def _names(model: type[Storable]) -> str:
    return ", ".join(field.name for field in form_of(model))
