"""`ASTRIO_HOME`: where astrio keeps what belongs to no destination."""

from __future__ import annotations

import os
from pathlib import Path


def astrio_home() -> Path:
    """Return the home folder, `~/.astrio` unless ASTRIO_HOME says otherwise; it may not exist."""
    return Path(os.environ.get("ASTRIO_HOME") or Path.home() / ".astrio")


def make_astrio_home() -> Path:
    """Return the home folder, created for its owner alone if it is missing."""
    home = astrio_home()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home
