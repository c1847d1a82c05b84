"""What an authentication is: frozen settings that become an httpx.Auth."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from astrio.blocks.settings import Settings

if TYPE_CHECKING:
    import httpx


class Auth(Settings):
    """Base of all authentications.

    To add one, write a module in this package with a subclass whose `type` is a Literal, and its
    test; it is found by itself.

    Attributes:
        secret_fields: names of the fields that hold secrets: references such as
            `${env:NAME}`, or literals (accepted with a warning).
    """

    secret_fields: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def to_httpx_auth(self) -> httpx.Auth | None:
        """Resolve the secrets and return what signs each request; None signs nothing.

        Raises:
            ConfigurationError: a referenced variable is not set.
        """
