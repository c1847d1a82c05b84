"""The port of the server that `astrio up` starts."""

from __future__ import annotations

import socket
from pathlib import Path

from astrio.blocks.errors import ServerUnavailableError

USUAL = 4200
_TRIED = 100


def choose_port(host: str, port: int | None) -> int:
    """Return the port asked for; of none: Prefect's usual one, or the next that is free.

    Raises:
        ServerUnavailableError: the port asked for is taken, or every one that was tried.
    """
    if port is not None:
        if _is_free(host, port):
            return port
        raise ServerUnavailableError(
            f"Port {port} is taken by {holder(port)}.",
            advice="Stop that process, or choose another --port.",
        )
    for candidate in range(USUAL, USUAL + _TRIED):
        if _is_free(host, candidate):
            return candidate
    raise ServerUnavailableError(
        f"The ports from {USUAL} to {USUAL + _TRIED - 1} of {host} cannot be used.",
        advice="Choose --port and --host.",
    )


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Return which process listens on a port, as far as this user may know (Linux's /proc)."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                return f"process {process.name} ({command[:80]})"
        except OSError:
            continue  # it has ended, or is another user's
    return "another process"


def _listening(port: int) -> set[str]:
    """Return the inodes of listening sockets (state 0A) of /proc/net/tcp, see proc(5)."""
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(columns[9])
    return found
