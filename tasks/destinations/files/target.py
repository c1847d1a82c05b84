"""What every `push.to` that is a file has in common: format, compression, and its name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from astrio.tasks.destinations.files.naming import adds, ending
from astrio.tasks.destinations.other import OtherTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.files.place import Place
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
    from astrio.tasks.difference import ChangedRow

FormatName = Literal["jsonl", "csv", "parquet"]
Compression = Literal["none", "gzip"]
_ENDINGS: dict[str, FormatName] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "parquet": "parquet",
}


class FilesTarget(OtherTarget):
    """A file, or a folder that each run adds a file to."""

    modes: ClassVar = ("append", "replace")
    whole: ClassVar = True
    tables: ClassVar = False

    format: FormatName | None = Field(
        default=None,
        description="jsonl, csv or parquet; left out, the name's ending tells: .jsonl, .csv, "
        ".parquet. In a folder it is jsonl.",
    )
    compression: Compression | None = Field(
        default=None,
        description="gzip or none, of jsonl and csv; left out, .gz at the name's end tells.",
    )
    escape_formulas: bool = Field(
        default=False,
        description="CSV: put ' before texts that a spreadsheet would take for formulas.",
    )

    @property
    @abstractmethod
    def pattern(self) -> str:
        """The name as it is written, with its placeholders; a folder ends with a slash."""
        ...

    @abstractmethod
    def place(self, stream: str) -> Place:
        """Return where the files of a stream are put.

        Raises:
            ConfigurationError: a variable is not set, or what the place needs is not installed.
        """
        ...

    @property
    def adds(self) -> bool:
        """Whether each run has a file of its own."""
        return adds(self.pattern)

    @property
    def form(self) -> FormatName:
        """The format that is written."""
        return self.format or _ENDINGS.get(ending(self.pattern), "jsonl")

    @property
    def gzipped(self) -> bool:
        """Whether the file is compressed as a whole."""
        if self.compression is None:
            return self.pattern.endswith(".gz")
        return self.compression == "gzip"

    @model_validator(mode="after")
    def _written_somehow(self) -> FilesTarget:
        known = ", ".join(f".{each}" for each in _ENDINGS)
        folder = self.pattern.endswith("/")
        if self.format is None and not folder and ending(self.pattern) not in _ENDINGS:
            raise ValueError(
                "the name's ending tells no format: give `format` (jsonl, csv or parquet), or let "
                f"it end with {known}"
            )
        if self.form == "parquet" and self.gzipped:
            raise ValueError("Parquet compresses its columns by itself: leave out .gz and gzip")
        if self.escape_formulas and self.form != "csv":
            raise ValueError("`escape_formulas` is for CSV, the only format that has them")
        return self

    @classmethod
    def completed(cls, push: Mapping[str, Any]) -> dict[str, Any]:
        """Return `push` as given: without a table, and with the mode that the name calls for."""
        given = {key: value for key, value in push.items() if key != "table"}
        return {"mode": cls.usual_mode(push.get("to")), **given}

    @classmethod
    def usual_mode(cls, to: Any) -> str:
        """Return the mode where none is given: `append` if each run has a file of its own."""
        pattern = to.pattern if isinstance(to, FilesTarget) else cls.written(to)
        return "append" if adds(pattern) else "replace"

    @classmethod
    @abstractmethod
    def written(cls, to: Mapping[str, Any]) -> str:
        """Return the name in settings that are not validated yet, with its placeholders."""
        ...

    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return what writes the file."""
        from astrio.tasks.destinations.files.destination import FileDestination

        return FileDestination(push, integration, keeping)

    def dry_run(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None,
        examples: list[ChangedRow],  # noqa: ARG002 (a file's rows are all new)
    ) -> Destination:
        """Return what tells how the file would be, and writes nothing."""
        from astrio.tasks.destinations.files.dry import FileDryRun

        return FileDryRun(push, integration, keeping)
