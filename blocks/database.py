"""`Database`: a connection to a SQL database."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, SerializationInfo, field_serializer

from astrio.blocks.literals import SHOW_SECRETS, mask_password, remember_password
from astrio.blocks.redaction import MASK, remember
from astrio.blocks.secrets import is_reference
from astrio.blocks.storable import Storable


class Database(Storable):
    """Where a SQL database is, as SQLAlchemy writes it, and its password."""

    title: ClassVar[str] = "database"
    summary: ClassVar[str] = "A SQL database that records are pushed to."
    example: ClassVar[str] = "```yaml\npush: {to: NAME, table: orders}\n```"
    secret_fields: ClassVar[tuple[str, ...]] = ("url", "password")

    url: str = Field(
        min_length=1,
        description="SQLAlchemy URL, such as postgresql://loader@db.example.com/shop, "
        "mysql://loader@db.example.com/shop, "
        'sqlite:///orders.db, duckdb:///shop.duckdb or "${env:WAREHOUSE_URL}".',
    )
    password: str = Field(
        default="",
        description="Put into the URL when the database is opened, whatever characters it holds.",
    )

    def model_post_init(self, _context: Any, /) -> None:
        """Let no message show a literal password."""
        remember_password(self.url)
        if self.password and not is_reference(self.password):
            remember(self.password)

    @field_serializer("url")
    def _mask_url(self, url: str, info: SerializationInfo) -> str:
        return mask_password(url, info)

    @field_serializer("password")
    def _mask_password(self, password: str, info: SerializationInfo) -> str:
        shown = not password or is_reference(password) or (info.context or {}).get(SHOW_SECRETS)
        return password if shown else MASK

    def __repr_args__(self) -> Any:
        return self.model_dump().items()
