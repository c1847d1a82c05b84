"""Reading what is saved, by name, once per run: `rest_api("shop")`, `database("warehouse")`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from difflib import get_close_matches
from typing import Any, TypeVar

from astrio.blocks.api import RestApi
from astrio.blocks.database import Database
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember
from astrio.blocks.storable import Storable
from astrio.blocks.store.document import Document
from astrio.blocks.store.door import Door, http_door
from astrio.blocks.store.kinds import Secret, kinds, named
from astrio.blocks.store.names import check_name
from astrio.blocks.webhooks.source import WebhookSource
from astrio.blocks.webhooks.target import WebhookTarget

S = TypeVar("S", bound=Storable)
# What is given first when one is saved.
_FIRST_FIELDS = {
    "rest_api": "base_url=https://…",
    "database": "url=…",
    "webhook_source": "scheme=… secret=…",
    "webhook_target": "url=https://… secret=…",
}
_read: dict[tuple[str, str], Document] = {}


def rest_api(name: str) -> RestApi:
    """Return the saved REST API of that name.

    Raises:
        ConfigurationError: it is missing, of another type or half filled; the text tells the
            command that mends it.
        CredentialsError: the Prefect server does not let us in.
        ServerUnavailableError: the Prefect server does not answer.
    """
    return connection(name, RestApi)


def database(name: str) -> Database:
    """Return the saved database of that name; raises as `rest_api`."""
    return connection(name, Database)


def webhook_source(name: str) -> WebhookSource:
    """Return the saved webhook source of that name; raises as `rest_api`."""
    return connection(name, WebhookSource)


def webhook_target(name: str) -> WebhookTarget:
    """Return the saved webhook target of that name; raises as `rest_api`."""
    return connection(name, WebhookTarget)


def connection(name: str, model: type[S]) -> S:
    """Return what is saved under that name, of that kind; raises as `rest_api`."""
    plain = _document(name, model).plain()
    assert isinstance(plain, model)
    return plain


def secret(name: str) -> str:
    """Return the value of a Secret block: its text, or its JSON value as text.

    Raises:
        ConfigurationError: it is missing or empty, or Prefect allows no such name.
        CredentialsError: the Prefect server does not let us in.
        ServerUnavailableError: the Prefect server does not answer.
    """
    value = _document(name, Secret).data.get("value")
    for text in _texts(value):
        remember(text)
    # A line break at the end was copied along with the secret and belongs to no secret.
    text = value.rstrip("\r\n") if isinstance(value, str) else json.dumps(value)
    if value is None or not text:
        raise ConfigurationError(f"The Secret block `{name}` is empty.", advice=_add(name, Secret))
    remember(text)
    return text


def forget() -> None:
    """Read everything anew from now on: each run begins with this, so that it sees rotated keys."""
    _read.clear()


def open_door() -> AbstractContextManager[Door]:
    """Open the way to the server: Prefect's own client where Prefect is at work already.

    Its client knows Prefect's proxies, retries and temporary servers.
    """
    if "prefect" in sys.modules:
        from astrio.blocks.saved.door import prefect_door

        return prefect_door()
    return http_door()


def find(door: Door, name: str, model: type[Storable]) -> Document | None:
    """Return the saved block of that name and kind, None if there is none."""
    path = f"/block_types/slug/{model.slug()}/block_documents/name/{name}"
    found = door.get(path, {"include_secrets": "true"})
    return None if found is None else Document.from_json(found)


def listed(door: Door, model: type[Storable]) -> list[Document]:
    """Return every saved block of a kind, by name; those that Prefect made for itself left out."""
    path = f"/block_types/slug/{model.slug()}/block_documents"
    found = door.get(path, {"include_secrets": "true"}) or []
    documents = [Document.from_json(each) for each in found if not each.get("is_anonymous")]
    return sorted(documents, key=lambda document: document.name)


def _document(name: str, model: type[Storable]) -> Document:
    if (model.slug(), name) in _read:
        return _read[model.slug(), name]
    try:
        check_name(name)
    except ValueError as error:
        raise ConfigurationError(f"`{name}` names nothing saved: {error}.") from None
    with open_door() as door:
        document = find(door, name, model)
        if document is None:
            raise _missing(door, name, model)
    _read[model.slug(), name] = document
    return document


def _missing(door: Door, name: str, model: type[Storable]) -> ConfigurationError:
    if model is Secret:
        what = f"There is no Secret block `{name}` on the Prefect server at {door.address}."
        return ConfigurationError(what, advice=_add(name, Secret))
    saved = {kind: [each.name for each in listed(door, kind)] for kind in kinds().values()}
    del saved[Secret]
    others = [kind for kind, names in saved.items() if name in names]
    if others:
        return ConfigurationError(
            f"The saved `{name}` is {named(others[0])}; {named(model)} is needed here.",
            advice=f"Name another, or {_add(name, model)}",
        )
    return ConfigurationError(
        f"There is no saved {model.title} `{name}` on the Prefect server at {door.address}"
        f"{_saved_instead(name, saved[model])}.",
        advice=_add(name, model),
    )


def _saved_instead(name: str, names: list[str]) -> str:
    if meant := get_close_matches(name, names, n=1):
        return f" (did you mean `{meant[0]}`?)"
    return f" (saved are {', '.join(names[:10])})" if names else ""


def _add(name: str, model: type[Storable]) -> str:
    field = _FIRST_FIELDS.get(model.kind(), "value=-")
    kind = "" if model is RestApi else f" {model.kind()}"
    return f"Save it: astrio connections add {name}{kind} {field}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
