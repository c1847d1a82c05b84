"""Every kind of block that astrio reads: connections, authentications, Prefect's own Secret."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Final

from pydantic import Field

from astrio.blocks import auth
from astrio.blocks.api import RestApi
from astrio.blocks.auth.base import Auth
from astrio.blocks.database import Database
from astrio.blocks.settings import subclasses_in
from astrio.blocks.storable import Storable
from astrio.blocks.webhooks.source import WebhookSource
from astrio.blocks.webhooks.target import WebhookTarget

CONNECTIONS: Final[tuple[type[Storable], ...]] = (
    RestApi,
    Database,
    WebhookSource,
    WebhookTarget,
)


class Secret(Storable):
    """Prefect's own Secret block, which `${secret:NAME}` refers to."""

    title: ClassVar[str] = "secret"
    summary: ClassVar[str] = "Prefect's own Secret block."
    example: ClassVar[str] = "```yaml\nvalue: ${secret:NAME}\n```"
    secret_fields: ClassVar[tuple[str, ...]] = ("value",)

    value: Any = Field(description="A text, or any JSON value.")

    @classmethod
    def slug(cls) -> str:
        """Return the slug that Prefect gave it."""
        return "secret"


@cache
def authentications() -> tuple[type[Auth], ...]:
    """Return every authentication, in alphabetical order."""
    return tuple(subclasses_in(auth, Auth))  # type: ignore[type-abstract] # it is only compared


@cache
def kinds() -> dict[str, type[Storable]]:
    """Return every kind by its name, such as `rest_api` or `bearer`."""
    every: tuple[type[Storable], ...] = (*CONNECTIONS, *authentications(), Secret)
    return {each.kind(): each for each in every}


def kind_with_slug(slug: str) -> type[Storable] | None:
    """Return the kind whose block type has this slug."""
    return next((each for each in kinds().values() if each.slug() == slug), None)


def named(model: type[Storable]) -> str:
    """Return a kind's name for people, with its article."""
    return f"{'an' if model.title[:1] in 'Aaeiou' else 'a'} {model.title}"
