"""The functions that an expression may call: the language's own, the project's, installed ones.

The language's own go first. Only where a name is none of theirs are the others looked for: in the
modules of the connectors' folder that use `mapping_function`, and in those that installed packages
name as entry points of the group `astrio.functions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

from astrio.tasks.mapping.catalogue import Function, functions
from astrio.tasks.mapping.declared import declared_in
from astrio.tasks.python.folder import connectors_folder, python_files
from astrio.tasks.python.importing import PythonError, import_module

GROUP: Final = "astrio.functions"
_DECORATOR: Final = b"mapping_function"


@dataclass(frozen=True, slots=True)
class Added:
    """What was added to the language.

    Attributes:
        functions: by their names.
        problems: why others could not be added, one sentence each.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def find_function(name: str) -> Function | None:
    """Return the function that an expression means, None if there is none."""
    return functions().get(name) or added_functions().functions.get(name)


def all_functions() -> dict[str, Function]:
    """Return every function by its name, in alphabetical order."""
    everything = {**added_functions().functions, **functions()}
    return dict(sorted(everything.items()))


def suggestion(name: str) -> str | None:
    """Return what an unknown function was probably meant to be, or why it could not be added."""
    added = added_functions()
    close = get_close_matches(name.lower(), [*functions(), *added.functions], n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return added.problems[0] if added.problems else None


def added_functions() -> Added:
    """Return what the connectors' folder and installed packages add to the language."""
    added, found = Added(), list[Function]()
    for name in (*_modules_of_the_folder(), *_modules_of_packages()):
        try:
            found += declared_here(import_module(name))
        except PythonError as error:
            added.problems.append(error.message)
    several = Counter(each.name for each in found)
    for each in found:
        if several[each.name] == 1:
            added.functions[each.name] = each
    for name in (name for name, count in several.items() if count > 1):
        places = " and ".join(each.origin for each in found if each.name == name)
        added.problems.append(f"{name}() is defined more than once: {places}.")
    return added


def declared_here(module: ModuleType) -> Iterator[Function]:
    """Yield the functions that a module itself adds to the language."""
    values = vars(module).values()
    yield from declared_in(
        each for each in values if getattr(each, "__module__", None) == module.__name__
    )


def _modules_of_the_folder() -> Iterator[str]:
    """Yield the names of the modules, and of those in packages, that use the decorator."""
    folder = connectors_folder()
    for file in python_files():
        parts = file.relative_to(folder).with_suffix("").parts
        if all(part.isidentifier() for part in parts) and _uses_the_decorator(file):
            yield ".".join(parts).removesuffix(".__init__")


def _uses_the_decorator(file: Path) -> bool:
    try:
        return _DECORATOR in file.read_bytes()
    except OSError:
        return False


@cache
def _modules_of_packages() -> tuple[str, ...]:
    """Return the modules that installed packages name; a part behind a colon is left out."""
    from importlib.metadata import entry_points  # seldom needed, and slow to import

    return tuple(dict.fromkeys(each.module for each in entry_points(group=GROUP)))
