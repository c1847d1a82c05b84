"""A request as data: what a paginator changes and a resume point stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal
from uuid import uuid4

import msgspec

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.secrets import references
from astrio.tasks.paths import Step, compile_path
from astrio.tasks.settings import ArrayStyle, Where

BodyKind = Literal["json", "form", "text", "xml", "multipart", "file", "base64"]
_WITH_FIELDS = ("json", "form", "multipart")
_encoder = msgspec.json.Encoder(order="sorted")
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request before secrets are filled in and credentials are applied.

    `url` is a path relative to the connection's base URL, or an absolute URL (a `next` link).
    `${env:NAME}` references inside stay unresolved until the request is sent, so that a stored
    resume point never holds a secret.

    Attributes:
        body: JSON values; of a form the fields, of multipart fields and parts, of `file` its path.
        content_type: of the body, if not the kind's usual one.
        arrays: how lists are written in the query and in a form.
        idempotent: a POST or PATCH may be retried.
        key_header: the header that carries a key of this request's own.
        filled: references are filled in already: a `${env:NAME}` that is left is somebody's data.
    """

    filled: ClassVar[bool] = False

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    body_kind: BodyKind = "json"
    idempotent: bool = False
    content_type: str | None = None
    arrays: ArrayStyle = "repeat"
    key_header: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no harm (RFC 9110, 9.2.2, or because the file says so)."""
        return self.idempotent or self.key_header is not None or self.method in _IDEMPOTENT

    def keyed(self) -> ApiRequest:
        """Return the request with its idempotency key, for all attempts of one sending.

        See draft-ietf-httpapi-idempotency-key-header.
        """
        if self.key_header is None:
            return self
        return replace(self, headers={**self.headers, self.key_header: str(uuid4())})

    def accepting(self, formats: str | None) -> ApiRequest:
        """Return the request with this Accept header, unless it has one."""
        if formats is None or any(name.lower() == "accept" for name in self.headers):
            return self
        return replace(self, headers={**self.headers, "Accept": formats})

    def value_at(self, where: Where, name: str) -> Any:
        """Return what the query, header or body holds under `name`, None if nothing."""
        if where == "query":
            return self.params.get(name)
        if where == "header":
            return self.headers.get(name)
        if self.body_kind != "json":
            return self.body.get(name) if isinstance(self.body, Mapping) else None
        return compile_path(name).first(self.body)

    def with_value(self, where: Where, name: str, value: Any) -> ApiRequest:
        """Return a copy that carries `value` there; in a body, `name` is a dotted path.

        Raises:
            ConfigurationError: the body has no place for it.
        """
        if where == "query":
            return replace(self, params={**self.params, name: value})
        if where == "header":
            return replace(self, headers={**self.headers, name: str(value)})
        if self.body_kind not in _WITH_FIELDS:
            raise ConfigurationError(
                f"{name} cannot be put into a {self.body_kind} body.",
                advice="Use request.body (JSON).",
            )
        steps = compile_path(name).steps if self.body_kind == "json" else (name,)
        return replace(self, body=_placed(self.body, steps, value, name))

    def references(self) -> frozenset[tuple[str, str]]:
        """Return (kind, name) of every secret it refers to, anywhere."""
        texts = _texts([self.url, self.params, self.headers, self.body])
        return frozenset(found for text in texts if "${" in text for found in references(text))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values from which `from_json` makes an equal request."""
        return {name: _plain(getattr(self, name)) for name in ApiRequest.__slots__}

    def identity(self) -> bytes:
        """Return what tells it from other requests."""
        return _encoder.encode(self.to_json())

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ApiRequest:
        """Rebuild a stored request."""
        return cls(**stored)


class FilledRequest(ApiRequest):
    """A request whose references are filled in: for sending at once, and never stored."""

    __slots__ = ()
    filled: ClassVar[bool] = True


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _placed(body: Any, steps: tuple[Step, ...], value: Any, name: str) -> Any:
    """Return a copy of `body` with `value` at `steps`; objects on the way are made."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str) and (body is None or isinstance(body, Mapping)):
        below = {} if body is None else body
        return {**below, step: _placed(below.get(step), rest, value, name)}
    if isinstance(step, int) and isinstance(body, list) and -len(body) <= step < len(body):
        copy = list(body)
        copy[step] = _placed(body[step], rest, value, name)
        return copy
    raise ConfigurationError(
        f"The request's body has no place for {name}.",
        advice="Write the dotted path of a field inside request.body, e.g. page.offset.",
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
