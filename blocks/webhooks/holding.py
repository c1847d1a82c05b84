"""Secrets of a webhook's source or target: one, or several while they are being rotated."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SerializationInfo, field_serializer

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.literals import SHOW_SECRETS
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import is_reference, resolve
from astrio.blocks.storable import Storable
from astrio.blocks.webhooks.schemes.base import Scheme

MOST_SECRETS = 16


def one_or_several(value: Any) -> Any:
    """Return the secrets that are given: a list, one text, or several lines of a text.

    A key in PEM or JSON has lines of its own and is one secret.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith(("-----BEGIN", "{", "[")):
        return [text]
    return [line.strip() for line in text.splitlines() if line.strip()]


Secrets = Annotated[
    tuple[str, ...], BeforeValidator(one_or_several, json_schema_input_type=str | list[str])
]


class HoldsSecrets(Storable):
    """Base of what has a scheme and its secrets.

    Literal secrets are masked in every dump and remembered, so that no message shows them.
    """

    secret_fields: ClassVar[tuple[str, ...]] = ("secret",)

    secret: Secrets = Field(
        default=(),
        max_length=MOST_SECRETS,
        description='The secret or key, as the scheme writes it: "${env:NAME}". Several, newest '
        "first, while it is being rotated; in a form one a line.",
    )

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal secret, from now on."""
        for literal in self._literals():
            remember(literal)

    def literal_secrets(self) -> tuple[str, ...]:
        """Return the names of fields that hold a literal secret instead of a reference."""
        return ("secret",) if any(self._literals()) else ()

    @field_serializer("secret")
    def _mask_secret(self, secret: tuple[str, ...], info: SerializationInfo) -> tuple[str, ...]:
        if (info.context or {}).get(SHOW_SECRETS):
            return secret
        return tuple(each if is_reference(each) else MASK for each in secret)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()

    def _literals(self) -> Iterable[str]:
        return (each for each in self.secret if not is_reference(each))

    @property
    @abstractmethod
    def signing(self) -> Scheme | None:
        """What the secrets are for, None if there is nothing to sign with."""

    def resolved_secrets(self) -> tuple[str, ...]:
        """Return every live secret, newest first.

        Raises:
            ConfigurationError: a variable is not set, or a value is no secret of the scheme.
        """
        return self._resolved(self.signing) if self.signing else ()

    def _resolved(self, scheme: Scheme) -> tuple[str, ...]:
        found = tuple(resolve(each) for each in self.secret)
        for place, secret in enumerate(found, 1):
            for part in scheme.hidden(secret):
                remember(part)
            try:
                scheme.check_secret(secret)
            except ValueError as error:
                which = f" (number {place})" if len(found) > 1 else ""
                raise ConfigurationError(
                    f"The secret of this {self.title}{which} does not fit its scheme: {error}.",
                    advice=f"It is {scheme.key_form}; copy it again from where it was shown.",
                ) from None
        return found
