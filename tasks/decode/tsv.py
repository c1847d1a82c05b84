"""Tab-separated values, with CSV's quoting."""

from __future__ import annotations

from typing import ClassVar

from astrio.tasks.decode.csv import Csv


class Tsv(Csv):
    """As CSV, with tabs."""

    name = "tsv"
    content_types: ClassVar[tuple[str, ...]] = ("text/tab-separated-values", "text/tsv")
    extensions: ClassVar[tuple[str, ...]] = (".tsv", ".tab")
    delimiter = "\t"
