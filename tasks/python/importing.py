"""Importing the user's modules: contained, explained, and anew when a file has changed."""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import ModuleType

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.python.folder import NAME, VARIABLE, connectors_folder, modules_in, shown
from astrio.tasks.python.telling import one_line, place_of

Stamp = tuple[int, int]


class PythonError(ConfigurationError):
    """The user's Python cannot be found, imported or used; nothing was sent."""


@dataclass(frozen=True, slots=True)
class _Imported:
    """A module of the connectors' folder, as it was when it was imported."""

    file: Path
    stamp: Stamp | None
    printed: bool


_imported: dict[str, _Imported] = {}
_added: set[str] = set()


def import_module(name: str) -> ModuleType:
    """Import a module of the connectors' folder, or an installed one.

    Installed modules go first; one of the folder that they hide is refused. If a file of the
    folder has changed since its import, all its modules are imported anew.

    Raises:
        PythonError: there is no such module, or importing it fails; the text tells where.
    """
    folder = connectors_folder()
    _forget_changed(folder)
    _make_findable(folder)
    importlib.invalidate_caches()  # a file, or the folder itself, may just have been written
    _refuse_hidden(name.partition(".")[0], folder)
    if name in sys.modules:
        return sys.modules[name]
    known, output = set(sys.modules), StringIO()
    try:
        with redirect_stdout(output), _without_bytecode():
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _explained(name, error) from error
    finally:
        _remember(set(sys.modules) - known, folder, output.getvalue())


def prints(name: str) -> bool:
    """Whether a module of the folder printed something while it was imported."""
    return name in _imported and _imported[name].printed


def _remember(names: set[str], folder: Path, output: str) -> None:
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and Path(file).is_relative_to(folder):
            _imported[name] = _Imported(Path(file), _stamp(Path(file)), bool(output))
    if output:
        sys.stderr.write(redact(output))


def _forget_changed(folder: Path) -> None:
    """Forget all modules of the folder if one has changed, as they may hold parts of it."""
    if all(
        each.file.is_relative_to(folder) and _stamp(each.file) == each.stamp
        for each in _imported.values()
    ):
        return
    for name in _imported:
        sys.modules.pop(name, None)
    _imported.clear()
    linecache.checkcache()


def _stamp(file: Path) -> Stamp | None:
    try:
        told = file.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size


def _make_findable(folder: Path) -> None:
    """Let imports find the folder's modules, after all installed ones."""
    here = str(folder)
    if [each for each in sys.path if each in _added] == [here]:
        return
    sys.path[:] = [each for each in sys.path if each not in _added]
    _added.add(here)
    sys.path.append(here)


def _refuse_hidden(name: str, folder: Path) -> None:
    file = dict(modules_in(folder)).get(name)
    if file is None:
        return
    try:
        spec = find_spec(name)
    except ValueError:  # a module that was not imported but run, such as __main__
        spec = None
    if spec is None or spec.origin is None or Path(spec.origin) != file:
        raise PythonError(
            f"{shown(file)} is hidden by another module of the name `{name}`.",
            advice="Give the file another name.",
        )


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Leave nothing in the user's folder; stale bytecode would also hide a quick change."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _explained(name: str, error: BaseException) -> PythonError:
    if isinstance(error, ModuleNotFoundError) and error.name:
        if f"{name}.".startswith(f"{error.name}."):
            return _missing(error.name)
        words = f"`{name}` needs the module `{error.name}`, which is not installed"
        return PythonError(f"{words}{_at(error)}.", advice=_advice())
    if isinstance(error, SyntaxError):
        place = f" ({shown(error.filename or name)}, line {error.lineno})"
        return PythonError(f"`{name}` cannot be read: {error.msg}{place}.")
    if isinstance(error, ConfigurationError):
        return PythonError(f"`{name}` cannot be imported: {error.message}{_at(error)}")
    text = f": {one_line(str(error))}" if str(error) else ""
    kind = type(error).__name__
    return PythonError(f"Importing `{name}` fails with {kind}{text}{_at(error)}.")


def _at(error: BaseException) -> str:
    place = place_of(error)
    return f" ({place})" if place else ""


def _missing(name: str) -> PythonError:
    close = get_close_matches(name, [each for each, _ in modules_in(connectors_folder())], n=1)
    hint = f"; did you mean `{close[0]}`?" if close else "."
    where = f"in {NAME}/ or among the installed packages"
    return PythonError(f"There is no module `{name}` {where}{hint}", advice=_advice())


def _advice() -> str:
    folder = connectors_folder()
    return f"Put it into {folder}, let {VARIABLE} name another folder, or install its package."
