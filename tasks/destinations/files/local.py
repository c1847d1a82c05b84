"""Files on this machine: written beside their place, made durable, then renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Final

from astrio.blocks.errors import AstrioError, DestinationBusyError, DestinationError
from astrio.tasks.destinations.files.place import Traces
from astrio.tasks.destinations.files.spool import remove_pieces

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class LocalFiles:
    """Folders of this machine.

    The temporary file lies in the file's own folder, so that renaming is atomic: whoever opens the
    name finds the old file or the new one, whole.
    """

    def __init__(self, stream: str) -> None:
        """Take the stream's id, which tells its temporary files from others'."""
        self._stream = stream

    def plan(self, name: str, run_id: str) -> Traces:
        """Name the file and the temporary one; a link is followed, not replaced."""
        path = Path(os.path.realpath(name))
        return {"path": str(path), "temporary": str(path.with_name(f".astrio-{run_id}.tmp"))}

    def begin(self, traces: Traces) -> Traces:
        """Make the folder, and the temporary file, empty."""
        path = Path(traces["path"])
        with explained(path):
            _make(path.parent)
            if path.is_dir():
                raise DestinationError(
                    f"{path} is a folder, and a file is to be written there.",
                    advice="Name a file in it in push.to.file, or end it with / to let each run "
                    "add a file.",
                )
            if path.exists() and not path.is_file():
                raise DestinationError(
                    f"{path} is no file that could be replaced: a device or the like.",
                    advice="Name a file in push.to.file.",
                )
            Path(traces["temporary"]).open("xb").close()
        return traces

    def spool(self, traces: Traces) -> Path:
        """Return the path of the temporary file."""
        return Path(traces["temporary"])

    def secure(self, traces: Traces, *, adds: bool) -> Traces:
        """Let the temporary file reach the disk, with the rights of the file that it replaces."""
        path, temporary = Path(traces["path"]), Path(traces["temporary"])
        with explained(path), temporary.open("r+b") as file:
            if path.exists():
                if adds:
                    raise _in_the_way(path)
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            os.fsync(file.fileno())
            digest = file_digest(file, "sha256").hexdigest()
        return traces | {"digest": digest}

    def publish(self, traces: Traces) -> bool:
        """Rename the temporary file, and let its folder reach the disk."""
        path, temporary = Path(traces["path"]), Path(traces["temporary"])
        with explained(path):
            try:
                temporary.replace(path)
            except FileNotFoundError:
                return _holds(path, traces["digest"])
            _settle(path.parent)
        return True

    def discard(self, traces: Traces) -> None:
        """Remove the temporary file and its pieces."""
        temporary = Path(traces["temporary"])
        with suppress(OSError):
            remove_pieces(temporary)
            temporary.unlink(missing_ok=True)

    def there(self, traces: Traces) -> bool:
        """Whether there is such a file."""
        return Path(traces["path"]).exists()

    def on_disk(self, traces: Traces) -> Path:
        """Return the file's own path."""
        return Path(traces["path"])

    def shown(self, traces: Traces) -> str:
        """Return the absolute path."""
        return str(traces["path"])


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn every error of the operating system into one of astrio's.

    Raises:
        DestinationBusyError: the disk is full, or does not answer.
        DestinationError: the file cannot be written there.
    """
    try:
        yield
    except OSError as error:
        raise meaning(error, path) from error


def meaning(error: OSError, path: Path) -> AstrioError:
    """Return what an error means for a file."""
    words = error.strerror or str(error)
    if error.errno in _FULL:
        return DestinationBusyError(
            f"{path} cannot be written: the disk is full ({words}).",
            advice="Free some space, then run again: the file is as it was.",
        )
    if error.errno in _FORBIDDEN:
        return DestinationError(
            f"{path} cannot be written ({words}).",
            advice="Give this user the right to write in its folder, or name another one.",
        )
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return DestinationError(
            f"{path} cannot be written: a part of its path is no folder ({words}).",
            advice="Name another path in push.to.file.",
        )
    return DestinationBusyError(
        f"{path} cannot be written ({words}).", advice="Check the disk and the path."
    )


def _make(folder: Path) -> None:
    """Make a folder and those above it, and let them reach the disk."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _settle(folder.parent)


def _settle(folder: Path) -> None:
    """Let the names in a folder reach the disk, where the file system can be asked to."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _holds(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == digest


def _in_the_way(path: Path) -> DestinationError:
    return DestinationError(
        f"There is a file {path} already, and `mode: append` never replaces one.",
        advice="Let the name in push.to.file hold {{run_id}} or {{run_time}}, or move that file.",
    )
