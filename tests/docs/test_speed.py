"""docs/speed.md names each knob with its default."""

from __future__ import annotations

import re
from pathlib import Path

from astrio.tasks import tuning

PAGE = Path(__file__).parents[2] / "docs" / "speed.md"
ROW = re.compile(r"^\| `ASTRIO_(\w+)` \| ([\d,.]+) \|", re.MULTILINE)


def test_every_knob_is_told_with_its_default() -> None:
    told = {
        name: float(default.replace(",", "")) for name, default in ROW.findall(PAGE.read_text())
    }
    assert told == {name: value for name, value in vars(tuning).items() if name.isupper()}
