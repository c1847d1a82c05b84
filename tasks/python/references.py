"""`module:name` in an integration file: what it stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from astrio.tasks.python.folder import connectors_folder, shown
from astrio.tasks.python.importing import PythonError, import_module, prints
from astrio.tasks.python.telling import written_at

_DOTTED: Final = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
PATTERN: Final = rf"^{_DOTTED}:{_DOTTED}$"
Reference = Annotated[str, Field(pattern=PATTERN)]
"""The type of a settings field that holds a reference."""

PLACES: Final = (("transform",), ("validate",), ("source", "python"), ("push", "to", "python"))
"""The keys of an integration file that may hold a reference."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference stands for.

    Attributes:
        reference: as written, e.g. `users:transform`.
        value: the function or class.
        file: where it is written; "" if that cannot be told.
        place: the same for messages, with the line.
        prints: its module printed something while it was imported.
    """

    reference: str
    value: Any
    file: str
    place: str
    prints: bool = False


def resolve(reference: str) -> Target:
    """Import what a reference stands for.

    Raises:
        PythonError: the module cannot be imported, or has nothing of that name.
    """
    name, _, path = reference.partition(":")
    module = import_module(name)
    value: Any = module
    for part in path.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise _nothing(module, value, part) from None
    try:
        file = inspect.getsourcefile(inspect.unwrap(value)) or ""
    except TypeError:
        file = ""
    return Target(reference, value, file, written_at(value), prints(name))


def source_of(reference: str) -> str:
    """Return the text of the file that what is referenced is written in; "" if there is none."""
    try:
        return Path(resolve(reference).file).read_text("utf-8", errors="replace")
    except (PythonError, OSError):
        return ""  # the run itself tells what is wrong


def _nothing(module: Any, owner: Any, name: str) -> PythonError:
    own = [each for each in dir(owner) if not each.startswith("_")]
    close = get_close_matches(name, own, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else "."
    file = getattr(module, "__file__", None)
    own_file = file is not None and Path(file).is_relative_to(connectors_folder())
    where = shown(file) if file and own_file else f"`{module.__name__}`"
    owned = "" if owner is module else f"`{owner.__name__}` in "
    return PythonError(f"{owned}{where} has no `{name}`{hint}")


def plain_function(target: Target, wanted: str) -> Callable[..., Any]:
    """Return the referenced function, which must be called with one argument and return at once.

    Args:
        target: what the reference stands for.
        wanted: what it is for, e.g. `transform`.

    Raises:
        PythonError: it is something else.
    """
    value = target.value
    at = f" ({target.place})" if target.place else ""
    if not callable(value):
        raise PythonError(f"`{target.reference}` is no function{at}.")
    for is_kind, kind in _OTHERS:
        if is_kind(value):
            raise PythonError(
                f"`{target.reference}` is {kind}; `{wanted}` takes a plain function{at}."
            )
    if not takes(value, 1):
        raise PythonError(
            f"`{target.reference}` must take one record: def {value.__name__}(record){at}."
        )
    return value  # type: ignore[no-any-return]  # a callable, as just seen


def source_function(target: Target) -> Callable[[Any], Any]:
    """Return the referenced function, which is called with the context and gives the records.

    Raises:
        PythonError: it is something else.
    """
    value = target.value
    at = f" ({target.place})" if target.place else ""
    if not callable(value):
        raise PythonError(f"`{target.reference}` is no function{at}.")
    if inspect.iscoroutinefunction(value):
        raise PythonError(f"`{target.reference}` is async, but yields nothing{at}: use `yield`.")
    if not takes(value, 1):
        name = getattr(value, "__name__", "source")
        raise PythonError(
            f"`{target.reference}` must take the context: async def {name}(context){at}."
        )
    return value  # type: ignore[no-any-return]  # a callable, as just seen


def push_function(target: Target) -> Callable[[Any, Any], Any]:
    """Return the referenced function as one that is called with records and a `PushContext`.

    It may be async, and may do without the context.

    Raises:
        PythonError: it is something else.
    """
    value = target.value
    at = f" ({target.place})" if target.place else ""
    if not callable(value):
        raise PythonError(f"`{target.reference}` is no function{at}.")
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        raise PythonError(f"`{target.reference}` yields, but is to return{at}.")
    if asks_for_context(value) and takes(value, 1):
        return lambda records, context: value(records, context=context)
    if takes(value, 2):
        return value  # type: ignore[no-any-return]  # a callable, as just seen
    if takes(value, 1):
        return lambda records, _: value(records)
    name = getattr(value, "__name__", "push")
    raise PythonError(
        f"`{target.reference}` must take records and a context: def {name}(records, context){at}."
    )


_OTHERS: Final[tuple[tuple[Callable[[Any], bool], str], ...]] = (
    (inspect.iscoroutinefunction, "async"),
    (inspect.isasyncgenfunction, "an async generator"),
    (inspect.isgeneratorfunction, "a generator"),
)


def takes(value: Callable[..., Any], arguments: int) -> bool:
    """Whether it can be called with so many arguments, and with `context` if it asks for that."""
    try:
        signature = inspect.signature(value)
        wanted = {"context": None} if asks_for_context(value) else {}
        signature.bind(*[None] * arguments, **wanted)
    except TypeError:
        return False
    except ValueError:  # a built-in that does not tell
        return True
    return True


def asks_for_context(value: Callable[..., Any]) -> bool:
    """Whether a function has a keyword-only `context`: the run's clock and zone."""
    try:
        parameter = inspect.signature(value).parameters.get("context")
    except (TypeError, ValueError):
        return False
    return parameter is not None and parameter.kind is parameter.KEYWORD_ONLY
