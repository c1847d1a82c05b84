"""Saving blocks through Prefect's own client, which needs its types registered first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, get_args
from uuid import UUID

import httpx
from prefect.blocks.system import Secret as PrefectSecret
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.saved.base import SavedBlock, block_class
from astrio.blocks.saved.classes import ALL
from astrio.blocks.storable import Storable
from astrio.blocks.store.document import Document
from astrio.blocks.store.door import judged, no_answer
from astrio.blocks.store.form import Form, form_of, in_form
from astrio.blocks.store.kinds import Secret, kind_with_slug


async def register_all() -> None:
    """Let the Prefect UI know every astrio block; nothing changes where it knows them already."""
    async with get_client() as client:  # one for all: making one takes 50 ms
        for each in _outermost():
            await each.aregister_type_and_schema(client=client)


def _outermost() -> list[type[SavedBlock]]:
    """Return the classes that no other holds: Prefect registers what they hold with them."""
    fields = [field for each in ALL for field in each.model_fields.values()]
    held = {inner for field in fields for inner in _types(field.annotation)}
    return [each for each in ALL if each not in held]


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


def save(model: type[Storable], document: Document) -> None:
    """Save a document under its name, in the place of the one that is there.

    Raises:
        CredentialsError: the Prefect server does not let us in.
        ServerUnavailableError: it does not answer.
    """
    with _answering():
        if model is Secret:
            PrefectSecret(value=document.data["value"]).save(document.name, overwrite=True)
        else:
            _block(model, document).save(document.name, overwrite=True)


def delete(document: Document) -> None:
    """Delete what is saved, if it is not gone already; raises as `save`."""
    with _answering(), get_client(sync_client=True) as client, suppress(ObjectNotFound):
        client.delete_block_document(UUID(document.id))


def _block(model: type[Storable], document: Document) -> SavedBlock:
    fields = {}
    for field in form_of(model):
        if field.form is Form.AUTH:
            fields[field.name] = _picked(document, field.name)
        elif field.name in document.data:
            fields[field.name] = in_form(field, document.data[field.name])
    return block_class(model)(**fields)


def _picked(document: Document, field: str) -> SavedBlock:
    """Return the block that the field refers to, or one without a name of its own."""
    if field in document.nested:
        slug, name = document.nested[field]
        loaded = block_class(_known(slug)).load(name)
        assert isinstance(loaded, SavedBlock)
        return loaded
    return block_class(_known(document.data[field]["block_type_slug"]))()


def _known(slug: str) -> type[Storable]:
    model = kind_with_slug(slug)
    if model is None:
        raise ConfigurationError(f"This version of astrio does not know the block type {slug}.")
    return model


@contextmanager
def _answering() -> Iterator[None]:
    with get_client(sync_client=True) as client:
        address = str(client.api_url)
    try:
        yield
    except httpx.HTTPStatusError as error:
        judged(error.response, address)
        raise no_answer(address, error) from None
    except httpx.HTTPError as error:
        raise no_answer(address, error) from None
