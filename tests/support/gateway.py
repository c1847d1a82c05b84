"""A real gateway process on loopback, and what vendors and attackers send to it.

with gateway(folder) as running:
    running.post(signed(b"{}"))          # a signed delivery, as a vendor sends it
    running.raw(b"GET / HTTP/0.9...")    # any bytes at all
"""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.support.command import PATIENCE, begin

from astrio.blocks.webhooks.schemes.base import Outgoing
from astrio.blocks.webhooks.schemes.standard_webhooks import StandardWebhooks

KEY: Final = "whsec_" + base64.b64encode(b"canary-secret-of-32-bytes-length").decode()
OTHER_KEY: Final = "whsec_" + base64.b64encode(b"another-secret-of-32-bytes-long!").decode()
PATH: Final = "/webhooks/shop"
VARIABLES: Final = {"SHOP_SECRET": KEY, "ASTRIO_LEDGER_URL": None}
_ids = count()


def integration(name: str = "shop", **webhook: Any) -> dict[str, Any]:
    """Return an integration that takes webhooks."""
    settings = {"path": PATH, "scheme": "standard-webhooks", "secret": "${env:SHOP_SECRET}"}
    return {
        "name": name,
        "source": {"webhook": settings | webhook},
        "map": {"id": "id"},
        "push": {"to": {"url": "sqlite:///shop.db"}, "table": "orders"},
    }


def write(folder: Path, *integrations: Mapping[str, Any]) -> None:
    """Write integration files."""
    for each in integrations or (integration(),):
        (folder / f"{each['name']}.json").write_text(json.dumps(each))


@dataclass
class Delivery:
    """A request as a vendor sends it."""

    body: bytes
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The vendor's id of it."""
        return self.headers["webhook-id"]


def signed(
    body: bytes = b'{"id": 1}',
    id_: str | None = None,
    *,
    key: str = KEY,
    at: float | None = None,
) -> Delivery:
    """Return a delivery with an id of its own, signed."""
    id_ = id_ or f"msg_{time.time_ns():x}_{next(_ids)}"
    outgoing = Outgoing(id_, int(time.time() if at is None else at), "", body)
    headers = dict(StandardWebhooks().sign(outgoing, [key]))
    return Delivery(body, {**headers, "content-type": "application/json"})


@dataclass(frozen=True)
class Answered:
    """An answer: what a sender sees of it."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Running:
    """A gateway that listens.

    Attributes:
        lines: what it wrote to standard error.
        out: what it wrote to standard output.
    """

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    def send(
        self,
        method: str = "POST",
        path: str = PATH,
        body: bytes | Iterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send a request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            found = connection.getresponse()
            names = {name.lower(): value for name, value in found.getheaders()}
            return Answered(found.status, names, found.read())
        finally:
            connection.close()

    def post(self, delivery: Delivery, path: str = PATH, **headers: str) -> Answered:
        """Send a delivery; a header's underscores are hyphens."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, delivery.body, delivery.headers | more)

    def raw(self, *parts: bytes, pause: float = 0, patience: float = 10) -> bytes:
        """Send bytes, and return all that is answered until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as talk:
            answered = b""
            try:
                for part in parts:
                    talk.sendall(part)
                    time.sleep(pause)
                while received := talk.recv(65536):
                    answered += received
            except (TimeoutError, ConnectionError):
                pass
            return answered

    def memory(self) -> int:
        """Return the bytes of memory that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def told(self) -> str:
        """Return what it wrote to standard error so far."""
        return "\n".join(self.lines)


@contextmanager
def gateway(
    folder: Path,
    *words: str,
    environment: Mapping[str, str | None] | None = None,
    port: int = 0,
) -> Iterator[Running]:
    """Run `astrio gateway --no-drain` on a folder until the block ends."""
    command = ("gateway", str(folder), "--port", str(port), "--no-drain", *words)
    process = begin(*command, folder=folder, environment={**VARIABLES, **(environment or {})})
    assert process.stderr is not None
    first = process.stderr.readline()
    if not first.startswith("listening on "):
        rest = process.communicate(timeout=PATIENCE)[1]
        raise AssertionError(f"the gateway does not listen: {first}{rest}")
    running = Running(process, int(first.rpartition(":")[2]))
    readers = [
        threading.Thread(target=_collect, args=(stream, into), daemon=True)
        for stream, into in ((process.stderr, running.lines), (process.stdout, running.out))
    ]
    for reader in readers:
        reader.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for reader in readers:
            reader.join()


def _collect(stream: Any, into: list[str]) -> None:
    for line in stream:
        into.append(line.rstrip("\n"))
