"""A request as data: what a paginator changes and a resume point stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BodyKind = Literal["json", "form", "text"]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request before secrets are filled in and credentials are applied.

    `url` is a path relative to the connection's base URL, or an absolute URL (a `next` link).
    `${env:NAME}` references inside stay unresolved until the request is sent, so that a stored
    resume point never holds a secret. `idempotent` lets a POST or PATCH be retried.
    """

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    body_kind: BodyKind = "json"
    idempotent: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `from_json` makes an equal request."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ApiRequest:
        """Rebuild a stored request."""
        return cls(**stored)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
