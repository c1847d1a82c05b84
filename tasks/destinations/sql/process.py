"""Who holds a lease: a process, recognised for certain on its own machine (Linux's /proc)."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_ENDED = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that may live on another machine.

    Attributes:
        machine: boot and process namespace in which `pid` is unique; None: cannot be told.
        start: when the process started, as the kernel counts; a reused pid differs in it.
    """

    host: str
    pid: int
    machine: str | None
    start: str | None

    @classmethod
    def current(cls) -> Process:
        """Return this process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the process on this machine that has this id now."""
        return cls(socket.gethostname(), pid, _machine(), _start_of(pid))

    def is_gone(self) -> bool:
        """Whether the process has certainly ended; False where that cannot be told."""
        here = self.machine is not None and self.machine == _machine()
        return here and self.start != _start_of(self.pid)


def _machine() -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _start_of(pid: int) -> str | None:
    """Return field 22 of /proc/PID/stat (man 5 proc), None if the process has ended."""
    try:
        # The second field, the command's name, may hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in _ENDED else fields[19]
