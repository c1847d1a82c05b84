"""The project's folder of Python modules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VARIABLE: Final = "ASTRIO_CONNECTORS"
NAME: Final = "connectors"


def connectors_folder() -> Path:
    """Return the folder that `ASTRIO_CONNECTORS` names, else `connectors` in the current folder.

    The rule is the same for every command and every run. A worker runs in a folder of its own,
    so there the variable is set, or the modules are installed as a package.
    """
    return Path(os.environ.get(VARIABLE) or NAME).absolute()


def modules_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (name, file) of each top-level module and package of a folder."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".py" and path.stem.isidentifier():
            yield path.stem, path
        elif path.name.isidentifier() and (path / "__init__.py").is_file():
            yield path.name, path / "__init__.py"


def python_files() -> list[Path]:
    """Return the connectors' modules, and those of its packages, in alphabetical order."""
    folder = connectors_folder()
    return sorted([*folder.glob("*.py"), *folder.glob("*/*.py")])


def shown(file: str | Path) -> str:
    """Return a file as messages name it: from the connectors' folder on, or with its whole path."""
    folder = connectors_folder()
    path = Path(file)
    return str(path.relative_to(folder.parent)) if path.is_relative_to(folder) else str(path)
