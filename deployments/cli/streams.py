"""The streams that `status` and `quarantine` look at: by file, by name, or all that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from astrio.blocks.errors import AstrioError, ConfigurationError
from astrio.deployments.cli.files import FOLDERS, files_in, find_integration
from astrio.flows.connecting import with_target
from astrio.flows.integration import Integration
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.reading.read import read_destination, read_integration
from astrio.tasks.destinations.called import called_by
from astrio.tasks.destinations.opening import destination_reference
from astrio.tasks.ledger.streams import KnownStream, known_streams

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as the user may ask for it.

    Attributes:
        name: the integration's name.
        file: its file, None if it was written in Python.
        folder: what relative paths in the file are relative to.
        integration: the file as read, or no more of it than its name and destination if it has
            mistakes elsewhere; None: it is gone, or its destination cannot be told.
        known: its entry in the index; None: it has not run from here.
        problem: what keeps the file from being run, empty if nothing does.
        several: the integration has other destinations beside this one.
    """

    name: str
    file: Path | None
    folder: Path
    integration: Integration | None
    known: KnownStream | None = None
    problem: str = ""
    several: bool = False

    @property
    def label(self) -> str:
        """The integration's name, and which of its destinations, where it has several."""
        return f"{self.name} ({self.called})" if self.called and self.several else self.name

    @property
    def called(self) -> str:
        """What people call the destination: its table, or its address if it has none of a name."""
        return "" if self.integration is None else called_by(self.integration.push)

    def ask(self, question: Callable[[Integration], T]) -> T:
        """Ask the stream's destination, in the stream's own folder.

        Raises:
            AstrioError: the destination cannot be read, or there is no integration.
        """
        if self.integration is None:
            raise ConfigurationError(f"{self.name}: {self.problem}")
        with chdir(self.folder):
            push = with_target(self.integration.push)
            return question(self.integration.model_copy(update={"push": push}))


def chosen(named: str | None) -> list[Stream]:
    """Return the streams of a file or a name; of none: all that have run, and those here.

    Raises:
        ConfigurationError: there is no such file or integration, or it has mistakes.
    """
    if named is None:
        return list(_all())
    by_name = [_from_index(known) for known in known_streams() if known.integration == named]
    if by_name and not Path(named).exists():
        return by_name
    file = find_integration(named)
    try:
        return _here(file)
    except IntegrationFileError as error:
        if (found := read_destination(file)) is None:
            raise
        whole = Stream(found.name, file, Path.cwd(), found, problem=error.message)
        return _apart(whole)


def the_only(named: str, to: str | None = None) -> Stream:
    """Return the one stream of a file or a name.

    Args:
        named: the file, or the integration's name.
        to: which of several destinations: its table, or a part of its address.

    Raises:
        ConfigurationError: as `chosen`; or several files have that name, or the integration
            several destinations.
    """
    streams = towards(chosen(named), to)
    if len(streams) > 1 and len({stream.file for stream in streams}) == 1:
        names = ", ".join(each.called for each in streams)
        raise ConfigurationError(
            f"{named} has several destinations, each with a quarantine of its own: {names}.",
            advice="Say which with --to: the table, or a part of the destination's address.",
        )
    if len(streams) > 1:
        files = ", ".join(sorted(str(stream.file or "Python") for stream in streams))
        raise ConfigurationError(
            f"Several integrations are called {named}: {files}.", advice="Name the file."
        )
    return streams[0]


def towards(streams: list[Stream], to: str | None) -> list[Stream]:
    """Return the streams whose destination is meant; nothing said: all of them.

    Raises:
        ConfigurationError: there is no such destination.
    """
    if to is None:
        return streams
    found = [each for each in streams if each.integration and each.integration.push.table == to]
    found = found or [each for each in streams if to in _reference(each) or to in each.called]
    if not found:
        raise ConfigurationError(
            f"No destination of it is called {to}.", advice="`astrio status` lists them."
        )
    return found


def _reference(stream: Stream) -> str:
    try:
        return stream.ask(lambda each: destination_reference(each.push))
    except AstrioError:
        return ""


def _all() -> Iterator[Stream]:
    seen: set[tuple[str, str]] = set()
    for known in known_streams():
        seen.add((known.integration, known.table_name))
        yield _from_index(known)
    for file in files_in(FOLDERS):
        try:
            streams = _here(file)
        except AstrioError:
            continue  # `check` is the place to say so
        for stream in streams:
            assert stream.integration is not None
            if (stream.name, stream.integration.push.table) not in seen:
                yield stream


def _here(file: Path) -> list[Stream]:
    integration = read_integration(file).integration
    return _apart(Stream(integration.name, file, Path.cwd(), integration))


def _apart(stream: Stream) -> list[Stream]:
    """Return a stream for each destination of a file."""
    integration = stream.integration
    assert integration is not None  # it has been read
    every, several = integration.push.all, len(integration.push.all) > 1
    return [
        replace(stream, integration=integration.toward(push), several=several) for push in every
    ]


def _from_index(known: KnownStream) -> Stream:
    file = Path(known.file) if known.file else None
    stream = Stream(known.integration, file, Path(known.cwd), None, known)
    if file is None:
        return replace(stream, problem="it was written in Python, so it has no file to read")
    if not stream.folder.is_dir():
        return replace(stream, problem=f"its folder {known.cwd} is gone")
    try:
        return _of_known(replace(stream, integration=read_integration(file).integration), known)
    except IntegrationFileError as error:
        problem = error.message.partition("\n")[0]
        return _of_known(
            replace(stream, integration=read_destination(file), problem=problem), known
        )
    except AstrioError as error:
        return replace(stream, problem=error.message.partition("\n")[0])


def _of_known(stream: Stream, known: KnownStream) -> Stream:
    """Return the stream with that one of its file's destinations which the index knows."""
    if stream.integration is None or len(stream.integration.push.all) == 1:
        return stream
    streams = _apart(stream)
    alike = [
        each
        for each in streams
        if each.integration and each.integration.push.table == known.table_name
    ]
    found = [each for each in alike if _reference(each) == known.destination] or alike
    gone = f"its file no longer names the destination {known.table_name}"
    return found[0] if found else replace(stream, integration=None, problem=gone)
