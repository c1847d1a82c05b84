"""What is wrong with an integration file, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from astrio.blocks.errors import ConfigurationError

_SHOWN = 100
_BEFORE = 70
_BLANK = re.compile(r"\s")


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
        excerpt: the expression concerned, "" where it is none.
        offset: the 0-based character in it.
    """

    line: int
    column: int
    path: str
    message: str
    warning: bool = False
    excerpt: str = field(default="", compare=False)
    offset: int = field(default=0, compare=False)

    @classmethod
    def at(cls, place: Place, path: str, message: str, *, warning: bool = False) -> Mistake:
        """Describe a mistake at a place."""
        return cls(*place, path, " ".join(message.split()), warning)

    def within(self, text: object, offset: int | None) -> Mistake:
        """Return the mistake with the expression in which it is, if that is known."""
        if offset is None or not isinstance(text, str):
            return self
        return replace(self, excerpt=text, offset=min(offset, len(text)))

    def pointed(self) -> list[str]:
        """Return the expression, or the part around the mistake, and a caret below it."""
        if not self.excerpt:
            return []
        start = max(self.offset - _BEFORE, 0)
        shown = _BLANK.sub(" ", self.excerpt[start : start + _SHOWN])
        return [f"    {shown.rstrip()}", f"    {' ' * (self.offset - start)}^"]

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
        lines = "".join(
            f"\n{line}"
            for mistake in self.mistakes
            for line in (mistake.located(file), *mistake.pointed())
        )
        super().__init__(
            f"{file} has {errors} mistake{'s' * (errors != 1)}; nothing was sent.{lines}",
            advice=f"Mend the file; `astrio check {file}` lists what is left.",
        )
