"""What is wrong with an integration file, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from astrio.blocks.errors import ConfigurationError


class Place(NamedTuple):
    """A position in the file: line and column, both 1-based, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong in a file.

    Attributes:
        line: 1-based.
        column: 1-based, in characters.
        path: the dotted path of the key concerned, empty for the whole file.
        message: one line of plain words.
        warning: it is reported, but the file can be used.
    """

    line: int
    column: int
    path: str
    message: str
    warning: bool = False

    @classmethod
    def at(cls, place: Place, path: str, message: str, *, warning: bool = False) -> Mistake:
        """Describe a mistake at a place."""
        return cls(*place, path, " ".join(message.split()), warning)

    def located(self, file: Path | str) -> str:
        """Return `FILE:LINE:COLUMN: message`."""
        return f"{file}:{self}"

    def __str__(self) -> str:
        """Return `LINE:COLUMN: message`."""
        prefix = "warning: " if self.warning else ""
        return f"{self.line}:{self.column}: {prefix}{self.message}"


class IntegrationFileError(ConfigurationError):
    """The integration file has mistakes; nothing was sent.

    Attributes:
        mistakes: all of them, in the order of the file, warnings included.
    """

    def __init__(self, file: Path, mistakes: Iterable[Mistake]) -> None:
        """Take the file, as its user named it, and what is wrong in it."""
        self.mistakes = sorted(mistakes)
        errors = sum(not mistake.warning for mistake in self.mistakes)
        lines = "".join(f"\n{mistake.located(file)}" for mistake in self.mistakes)
        super().__init__(
            f"{file} has {errors} mistake{'s' * (errors != 1)}; nothing was sent.{lines}",
            advice=f"Mend the file; `astrio check {file}` lists what is left.",
        )
