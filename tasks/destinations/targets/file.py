"""`push.to: {file: PATH}`: a file on this machine, or a folder of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, field_validator

from astrio.tasks.destinations.files.target import FilesTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.files.place import Place


class LocalFileTarget(FilesTarget):
    """`{file: out/orders.jsonl}`, or `{file: out/orders/}` for a folder with a file of each run."""

    told_by: ClassVar = frozenset({"file"})

    file: str = Field(
        min_length=1,
        description="A path, relative to the current folder; {{run_id}}, {{run_date}}, "
        "{{run_time}} and {{name}} are filled in. A folder ends with a slash.",
    )

    @field_validator("file")
    @classmethod
    def _a_path(cls, text: str) -> str:
        if "\0" in text:
            raise ValueError("a path holds no NUL character")
        if "${" in text or "://" in text:
            raise ValueError(
                "`file` is a path on this machine, without ${…} and ://; for S3 write `s3`"
            )
        return text

    @property
    def pattern(self) -> str:
        """The absolute path, with its placeholders."""
        path = os.path.abspath(os.path.expanduser(self.file))
        return path if path.endswith("/") or not self.file.endswith("/") else f"{path}/"

    @property
    def reference(self) -> str:
        """The absolute path, with its placeholders."""
        return self.pattern

    @classmethod
    def written(cls, to: Mapping[str, Any]) -> str:
        """Return the path as it is given."""
        return str(to.get("file", ""))

    def place(self, stream: str) -> Place:
        """Return the folders of this machine."""
        from astrio.tasks.destinations.files.local import LocalFiles

        return LocalFiles(stream)
