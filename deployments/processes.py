"""Processes that are known only by a note: recognised for certain before they are signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from astrio.tasks.destinations.sql.process import Process


def birth(pid: int) -> str | None:
    """Return when a process started, in words that a later process of the same id differs in.

    None: there is no such process, or it has ended.
    """
    process = Process.of(pid)
    if process.machine is not None:
        return process.start and f"{process.machine}/{process.start}"
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]  # where there is no /proc
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or None  # noqa: S603 (no shell, a number)


def is_alive(pid: int, born: str | None) -> bool:
    """Whether the process that started at `born` still runs."""
    return pid > 1 and born is not None and birth(pid) == born


def stop_group(pid: int, born: str | None, *, patience: float = 5.0) -> None:
    """Stop the process group that a process leads: politely, then for good.

    A process that is not certainly the one meant is left alone.
    """
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 1.0)):
        if not is_alive(pid, born) or not _leads_a_group(pid):
            return
        try:
            os.killpg(pid, sign)
        except (ProcessLookupError, PermissionError):
            return
        await_end(pid, born, seconds)


def await_end(pid: int, born: str | None, seconds: float) -> bool:
    """Wait for a process to end; tell whether it did."""
    ends = time.monotonic() + seconds
    while is_alive(pid, born):
        _reap(pid)
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    _reap(pid)
    return True


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # another process started it


def _leads_a_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except OSError:
        return False
