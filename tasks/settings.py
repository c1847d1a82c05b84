"""Settings of the five verbs that are not a part with a family of its own."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import (
    Field,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from astrio.blocks.literals import mask_named, remember_named
from astrio.blocks.settings import Settings

BODIES = ("body", "form", "text", "xml", "multipart", "file", "base64", "graphql")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")

ArrayStyle = Literal["repeat", "brackets", "indices", "comma"]
Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
Where = Literal["query", "body", "header"]


class PartSettings(Settings):
    """One part of a multipart body; exactly one of `file`, `text`, `base64` and `json`."""

    file: str | None = Field(default=None, description="A file, streamed from disk.")
    text: str | None = Field(default=None, description="The content as text.")
    base64: str | None = Field(default=None, description="The content, encoded in base64.")
    json_: Any = Field(default=None, alias="json", description="The content as JSON.")
    filename: str | None = Field(default=None, description="Instead of the file's own name.")
    content_type: str | None = None

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        given = [self.file, self.text, self.base64, self.json_]
        if sum(each is not None for each in given) != 1:
            raise ValueError("a part needs exactly one of `file`, `text`, `base64` and `json`")
        return self


class GraphQLSettings(Settings):
    """`source.request.graphql`: a GraphQL operation, posted as JSON."""

    query: str = Field(min_length=1)
    variables: dict[str, Any] = Field(default_factory=dict)
    operation: str | None = Field(default=None, description="Which operation of the query runs.")


FieldValue = str | int | float | bool | None
PartValue = FieldValue | PartSettings | list[FieldValue | PartSettings]


class RequestContent(Settings):
    """What a request is but for its address: method, query, headers and one body."""

    method: Method = "GET"
    params: dict[str, Any] = Field(default_factory=dict, description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = Field(default=None, description="JSON body.")
    form: dict[str, Any] | None = Field(default=None, description="URL-encoded form body.")
    text: str | None = Field(default=None, description="Raw text body.")
    xml: str | None = Field(
        default=None, description="XML body; what {{expression}} stands for is escaped."
    )
    multipart: dict[str, PartValue] | None = Field(
        default=None, description="Form fields and files, e.g. {title: x, photo: {file: a.jpg}}."
    )
    file: str | None = Field(default=None, description="Path of a file sent as the body.")
    base64: str | None = Field(default=None, description="Binary body, encoded in base64.")
    graphql: GraphQLSettings | None = None
    content_type: str | None = Field(default=None, description="Of the body, if not the usual.")
    arrays: ArrayStyle = Field(
        default="repeat",
        description="Lists in query and form: a=1&a=2, a[]=1&a[]=2, a[0]=1&a[1]=2 or a=1,2.",
    )
    idempotency_key: bool | str = Field(
        default=False,
        description="Send a key that stays the same over all attempts of a request: true for the "
        "header Idempotency-Key, or another header's name.",
    )
    idempotent: bool = Field(
        default=False,
        description="This POST or PATCH only reads (or is keyed), so it may be retried.",
    )

    @field_validator("idempotency_key")
    @classmethod
    def _header_name(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not HEADER_NAME.fullmatch(value):
            raise ValueError("`idempotency_key` must be true, false or a header's name")
        return value

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        given = [kind for kind in BODIES if getattr(self, kind) is not None]
        if len(given) > 1:
            raise ValueError(f"a request has one body, not {' and '.join(given)}: keep one")
        if self.content_type is not None and given == ["multipart"]:
            raise ValueError("`multipart` makes its own content type: leave content_type out")
        if given == ["graphql"] and self.method != "POST" and "method" in self.model_fields_set:
            raise ValueError("`graphql` is posted: leave `method` out")
        return self

    @field_serializer("params", "headers")
    def _mask(self, values: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
        return mask_named(values, info)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from self.model_dump().items()  # with literals of sensitive names masked

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal secret among parameters and headers."""
        remember_named(self.params)
        remember_named(self.headers)


class RequestSettings(RequestContent):
    """`source.request`: what is asked of the API for the first page."""

    path: str = Field(
        default="", description="Path below the connection's base URL; {{var}} is filled in."
    )


class ResponseSettings(Settings):
    """`source.response`: how answers are read, and what besides the status tells success."""

    format: Literal["auto", "json", "jsonl", "csv", "tsv", "xml"] = Field(
        default="auto",
        description="auto: by Content-Type or file name, else JSON.",
    )
    charset: str | None = Field(default=None, description="Instead of the one the API declares.")
    delimiter: str | None = Field(default=None, min_length=1, max_length=1, description="Of CSV.")
    header: bool | tuple[str, ...] = Field(
        default=True,
        description="CSV: the first row holds the names; false: there are none; or the names.",
    )
    skip: int = Field(default=0, ge=0, le=1000, description="CSV: lines before the header.")
    broken: Literal["fail", "reject"] = Field(
        default="fail", description="A line that cannot be read: fail the run, or quarantine it."
    )
    unzip: str = Field(default="*", description="Members of a zip archive to read, e.g. *.csv.")
    success: str | None = Field(
        default=None, description="Expression over the body; false: the request has failed."
    )
    error: str | None = Field(default=None, description="Path to the API's own error message.")
    retry: str | None = Field(
        default=None, description="Expression over the body; true: not carried out, ask again."
    )
    unauthorized: str | None = Field(
        default=None, description="Expression over the body; true: the credentials are refused."
    )
    failed: str | None = Field(
        default=None, description="Expression over a record; true: it is an error, no record."
    )
    failed_message: str | None = Field(
        default=None, description="Path to the message in such a record."
    )

    @field_validator("charset")
    @classmethod
    def _known_charset(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError:
                raise ValueError(f"{value!r} is no known charset, such as utf-8") from None
        return value


class RetrySettings(Settings):
    """`retry`: how failed requests are repeated; delays in milliseconds."""

    max_retries: int = Field(default=3, ge=0, le=20)
    retry_delay: float = Field(default=1000, ge=0, description="First delay, milliseconds.")
    backoff_multiplier: float = Field(default=2, ge=1)
    retry_on_status: tuple[int, ...] = (408, 429, 500, 502, 503, 504)
    max_wait: float = Field(
        default=60_000,
        ge=0,
        description="Longest single wait, milliseconds; beyond it the run fails.",
    )
    strict: bool = Field(
        default=False, description="Take retryOnStatus literally, even where Retry-After is sent."
    )
