"""One `astrio up` for each `ASTRIO_HOME`: its lock, its note, and how `astrio down` stops it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astrio.blocks.errors import RetryableError
from astrio.deployments.processes import await_end, birth, is_alive

SERVED_BY = "ASTRIO_SERVED_BY"
_LOCK, _NOTE = "up.lock", "up.json"


class AlreadyUpError(RetryableError):
    """Another `astrio up` uses this `ASTRIO_HOME`."""

    kind = "up"


@dataclass(frozen=True, slots=True)
class UpNote:
    """Who runs `astrio up`, and for which folder."""

    pid: int
    born: str | None
    folder: str

    @classmethod
    def read(cls, home: Path) -> UpNote | None:
        """Return the note, None if there is none that can be read."""
        try:
            note: Any = json.loads((home / _NOTE).read_text("utf-8"))
            return cls(note["pid"], note["born"], note["folder"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @staticmethod
    def forget(home: Path) -> None:
        """Take the note away."""
        (home / _NOTE).unlink(missing_ok=True)

    @property
    def runs(self) -> bool:
        """Whether that process certainly still runs."""
        return is_alive(self.pid, self.born)

    @property
    def mark(self) -> str:
        """What the processes that it started carry in their environment."""
        return f"{self.pid}/{self.born}"


@contextmanager
def only_up(home: Path, folder: Path) -> Iterator[None]:
    """Be the only `astrio up` of this home within the block.

    Raises:
        AlreadyUpError: another one is, named by its process and folder.
    """
    with (home / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already_up(home) from None
        note = UpNote(os.getpid(), birth(os.getpid()), str(folder.resolve()))
        (home / _NOTE).write_text(json.dumps(asdict(note)), "utf-8")
        os.environ[SERVED_BY] = note.mark
        try:
            yield
        finally:
            UpNote.forget(home)
            del os.environ[SERVED_BY]


def _already_up(home: Path) -> AlreadyUpError:
    note = UpNote.read(home)
    who = f" (process {note.pid}, folder {note.folder})" if note else ""
    return AlreadyUpError(
        f"`astrio up` runs already with {home}{who}.",
        advice="Stop it with `astrio down`, or set ASTRIO_HOME to another folder.",
    )


def stop_up(note: UpNote, patience: float) -> bool:
    """Ask a running `astrio up` to end, and wait for that; tell whether it did."""
    if note.runs:
        os.kill(note.pid, signal.SIGTERM)
    return await_end(note.pid, note.born, patience)


def stop_orphans(note: UpNote, patience: float = 20.0) -> int:
    """Stop runs that a killed `astrio up` has left; return how many there were."""
    orphans = [(pid, birth(pid)) for pid in _marked(note.mark)]
    for pid, born in orphans:
        if is_alive(pid, born):
            os.kill(pid, signal.SIGTERM)
    for pid, born in orphans:
        if not await_end(pid, born, patience) and is_alive(pid, born):
            os.kill(pid, signal.SIGKILL)
    return len(orphans)


def _marked(mark: str) -> Iterator[int]:
    """Yield the processes that carry this mark (Linux's /proc)."""
    wanted = f"{SERVED_BY}={mark}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)
        except OSError:
            continue  # it has ended, or is another user's
