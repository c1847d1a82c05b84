"""Saved connections by what the user calls them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.storable import Storable
from astrio.blocks.store import reader
from astrio.blocks.store.document import Document
from astrio.blocks.store.door import Door
from astrio.blocks.store.kinds import Secret, kinds

DEFAULT_KIND = "rest_api"


def kind_called(name: str) -> type[Storable]:
    """Return the kind of that name; raises ConfigurationError if there is none."""
    if found := kinds().get(name.replace("-", "_")):
        return found
    meant = get_close_matches(name, kinds(), n=1)
    hint = f" Did you mean `{meant[0]}`?" if meant else ""
    raise ConfigurationError(
        f"There is no kind of connection `{name}`.{hint}", advice=f"Kinds are {', '.join(kinds())}."
    )


def every(door: Door) -> Iterator[tuple[type[Storable], Document]]:
    """Yield everything that is saved, kind by kind."""
    for model in kinds().values():
        for document in reader.listed(door, model):
            yield model, document


def the_one(door: Door, name: str, kind: str | None) -> tuple[type[Storable], Document]:
    """Return what is saved under that name; the kind tells which if there are several.

    Raises:
        ConfigurationError: there is none, or there are several.
    """
    models = [kind_called(kind)] if kind else list(kinds().values())
    found = [(model, document) for model in models if (document := reader.find(door, name, model))]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"`{name}` is saved several times: {', '.join(model.kind() for model, _ in found)}.",
            advice="Name the kind after it.",
        )
    meant = get_close_matches(name, [document.name for _, document in every(door)], n=1)
    hint = f" Did you mean `{meant[0]}`?" if meant else ""
    what = f"{kind} " if kind else ""
    raise ConfigurationError(
        f"There is no saved {what}`{name}` on the Prefect server at {door.address}.{hint}",
        advice="`astrio connections list` shows what is saved.",
    )


def users_of(door: Door, model: type[Storable], name: str) -> list[str]:
    """Return the names of saved connections that refer to this one."""
    return [
        document.name
        for _, document in every(door)
        if (model.slug(), name) in document.nested.values()
    ]


def described(model: type[Storable], document: Document) -> dict[str, Any]:
    """Return what may be shown of a saved connection: no secret, and what is wrong with it."""
    data = document.data
    problem = None
    try:
        if model is not Secret:
            document.plain()
    except AstrioError as error:
        problem = error.message
    url = data.get("base_url") or data.get("url") or ""
    return {
        "name": document.name,
        "kind": model.kind(),
        "url": redact(str(url)) or None,
        "auth": _auth(document),
        "problem": problem,
    }


def _auth(document: Document) -> str | None:
    if nested := document.nested.get("auth"):
        return nested[1]
    inline = document.data.get("auth")
    slug = inline.get("block_type_slug", "") if isinstance(inline, dict) else ""
    return next((kind.kind() for kind in kinds().values() if kind.slug() == slug), None)
