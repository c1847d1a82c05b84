"""Every file in `wrong/` is reported exactly as the text beside it says.

After a change of words, `ASTRIO_WRITE_EXPECTED=1 pytest tests/flows/reading/test_wrong_files.py`
writes the texts anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from astrio.flows.reading.read import check_file

FOLDER = Path(__file__).with_name("wrong")
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".yaml", ".json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mistake_is_told_with_its_place_and_in_plain_words(path: Path) -> None:
    told = "".join(f"{mistake}\n" for mistake in check_file(path))
    expected = path.with_suffix(".txt")
    if os.environ.get("ASTRIO_WRITE_EXPECTED"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")
