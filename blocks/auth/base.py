"""What an authentication is: frozen settings that become an httpx.Auth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import SHOW_SECRETS
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import is_reference, resolve
from astrio.blocks.storable import Storable

if TYPE_CHECKING:
    import httpx


class Auth(Storable):
    """Base of all authentications.

    To add one, write a module in this package with a subclass whose `type` is a Literal, and its
    test; it is found by itself, and a Prefect block is derived from it.

    A literal secret is masked in `repr`, `str` and every dump, so that no log, event or flow
    parameter shows it; `model_dump(context={"show_secrets": True})` reveals it where it must be
    stored. References are shown, since they are no secrets.

    Attributes:
        secret_fields: names of the fields that hold secrets: references such as
            `${env:NAME}`, or literals (accepted with a warning).
        paces_itself: whether it heeds by itself what answers tell of quotas.
    """

    paces_itself: ClassVar[bool] = False
    example: ClassVar[str] = (
        "```bash\nastrio connections add shop base_url=https://api.example.com auth=NAME\n```"
    )

    @classmethod
    def kind(cls) -> str:
        """Return its `type`."""
        return str(cls.model_fields["type"].default)

    @abstractmethod
    def to_httpx_auth(self) -> httpx.Auth | None:
        """Resolve the secrets and return what signs each request; None signs nothing.

        Raises:
            ConfigurationError: a referenced variable is not set, or a value cannot be sent.
        """

    def literal_secrets(self) -> tuple[str, ...]:
        """Return the names of secret fields that hold a literal instead of a reference."""
        return tuple(name for name in self.held_secrets() if self._literals(name))

    def held_secrets(self) -> Iterable[str]:
        """Return the names of the fields that hold secrets in this very instance."""
        return self.secret_fields

    def query_names(self) -> tuple[str, ...]:
        """Return the query parameters that it sets, which a stored URL must not keep."""
        return ()

    def model_post_init(self, _: Any, /) -> None:
        """Let no message show a literal secret, from now on."""
        for name in self.held_secrets():
            for literal in self._literals(name):
                remember(literal)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        held = set(self.held_secrets())
        for name, value in super().__repr_args__():
            yield name, _masked(value) if name in held else value

    def _literals(self, name: str) -> list[str]:
        return [text for text in _texts(getattr(self, name)) if text and not is_reference(text)]

    @model_serializer(mode="wrap")
    def _mask_literals(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        if (info.context or {}).get(SHOW_SECRETS):
            return dumped
        held = set(self.held_secrets())
        return {name: _masked(value) if name in held else value for name, value in dumped.items()}


def sendable(text: str, what: str) -> str:
    """Resolve a secret and make sure that it can stand in a request.

    Raises:
        ConfigurationError: a variable is not set; or the value was masked when it was stored,
            looks like a reference but is none, or holds a control character.
    """
    value = resolve(text)
    remember(value)
    if value == text and "${" in value:
        problem = "looks like a reference but is none"
    elif not value.isprintable() or not value.isascii():
        problem = "holds a line break or another character that a request cannot carry"
    else:
        return value
    raise ConfigurationError(
        f"The {what} {problem}.", advice="Keep it in an environment variable: ${env:NAME}."
    )


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return [str(item) for item in value.values()]
    return () if value is None else (str(value),)


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _masked(item) for name, item in value.items()}
    return value if not value or is_reference(str(value)) else MASK
