"""`push.to: {s3: {bucket, key, …}}`: an object in S3, or in a store that speaks its language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from astrio.tasks.destinations.files.s3_settings import S3Settings
from astrio.tasks.destinations.files.target import FilesTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.files.place import Place


class S3Target(FilesTarget):
    """`{s3: {bucket: …, key: orders.jsonl}}`, or `{s3: {bucket: …, prefix: orders/}}`."""

    told_by: ClassVar = frozenset({"s3"})

    s3: S3Settings = Field(description="The bucket, a name in it, and how it is reached.")

    @property
    def pattern(self) -> str:
        """The key, with its placeholders."""
        return self.s3.key or _folder(self.s3.prefix)

    @property
    def reference(self) -> str:
        """`s3://BUCKET/KEY`, and the endpoint if it is not AWS's."""
        where = f" at {self.s3.endpoint_url}" if self.s3.endpoint_url else ""
        return f"s3://{self.s3.bucket}/{self.pattern}{where}"

    @classmethod
    def written(cls, to: Mapping[str, Any]) -> str:
        """Return the key as it is given."""
        s3 = to.get("s3")
        given: Mapping[str, Any] = s3 if isinstance(s3, Mapping) else {}
        return str(given.get("key") or _folder(str(given.get("prefix") or "")))

    def place(self, stream: str) -> Place:
        """Return the bucket; raises as every place."""
        from astrio.tasks.destinations.files.s3 import S3Objects

        return S3Objects(self.s3, stream)


def _folder(prefix: str) -> str:
    return prefix if prefix.endswith("/") else f"{prefix}/"
