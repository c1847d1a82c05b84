"""Who holds a lease: a process, recognised for certain on its own machine (Linux's /proc)."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
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


def began(pid: int) -> str | None:
    """Return when a process of this machine began, e.g. `2026-11-23T22:04:00Z`, if that is told."""
    ticks = _start_of(pid)
    try:
        lines = Path("/proc/stat").read_text().splitlines()
        booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, StopIteration):
        return None
    if ticks is None:
        return None
    moment = datetime.fromtimestamp(booted + int(ticks) // os.sysconf("SC_CLK_TCK"), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def command(pid: int) -> str | None:
    """Return e.g. `astrio run` for a process of this machine that runs astrio, None for others.

    Further arguments are left out: they may hold what is nobody's business.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    at = next((at for at, word in enumerate(words[:3]) if Path(word).name == "astrio"), None)
    if at is None:
        return None
    return " ".join(["astrio", *[word for word in words[at + 1 : at + 2] if word.isalpha()]])


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
