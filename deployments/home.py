"""`ASTRIO_HOME`: where astrio keeps what belongs to no destination."""

from __future__ import annotations

import os
from pathlib import Path


def astrio_home() -> Path:
    """Return the home folder (default `~/.astrio`), created for its owner alone."""
    home = Path(os.environ.get("ASTRIO_HOME") or Path.home() / ".astrio")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home
