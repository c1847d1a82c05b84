"""Receivers that delay, reset, trickle, lie and flood: each ends in a known state, in time."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.support.server import HANG, RESET, answer, serve, serve_raw, unused_url
from tests.tasks.webhooks.outbox.delivering import deliver, states, subscribe, target

from astrio.tasks.emitting import emit
from astrio.tasks.http.addresses import system_lookup
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.receiver import prepared
from astrio.tasks.webhooks.outbox.sender import Sender

SECONDS = 0.5
Talk = Callable[[socket.socket], object]


@pytest.fixture(autouse=True)
def _own_home(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """Serve connections with a function each, in threads; yield the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            talk(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def sent(url: str, timeout: float = SECONDS) -> tuple[Answer, float]:
    """Send one delivery; return what came of it, and how many seconds it took."""

    async def send() -> Answer:
        sender = Sender(system_lookup)
        receiver = prepared("t", target(url, timeout=timeout), ())
        try:
            return await sender.send(receiver, "msg_1", b"{}")
        finally:
            await sender.close()

    began = time.monotonic()
    found = asyncio.run(send())
    return found, time.monotonic() - began


def trickle(content: bytes, pause: float = 0.05) -> Talk:
    def talk(connection: socket.socket) -> None:
        for byte in content * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return talk


def flood(head: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(1024):
            connection.sendall(b"x" * 1024 * 1024)

    return talk


def test_who_never_answers_is_left_after_the_whole_time() -> None:
    with serve_raw(HANG) as server:
        found, seconds = sent(server.url)
    assert found.status is None
    assert "no answer within 0.5 seconds" in found.error
    assert seconds < 5


@pytest.mark.parametrize(
    "content",
    [b"HTTP/1.1 200 OK\r\nX-Very-Slow: yes\r\n", b"H"],
    ids=["headers", "status line"],
)
def test_a_trickled_answer_counts_as_none(content: bytes) -> None:
    with talking(trickle(content)) as url:
        found, seconds = sent(url)
    assert found.status is None
    assert seconds < 5


def test_a_trickled_error_keeps_its_status() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n")
        trickle(b"x")(connection)

    with talking(talk) as url:
        found, seconds = sent(url)
    assert found.status == 500
    assert not found.delivered
    assert seconds < 5


def test_a_success_counts_whatever_its_body_does() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        trickle(b"x")(connection)

    with talking(talk) as url:
        found, seconds = sent(url, timeout=5)
    assert found.delivered
    assert seconds < 4


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 1073741824\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ],
    ids=["length", "no length", "chunked"],
)
def test_of_a_huge_answer_only_the_beginning_is_read(status: int, head: bytes) -> None:
    line = f"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n".encode()
    chunk = b"40000000\r\n" if b"chunked" in head else b""
    with talking(flood(line + head + b"\r\n" + chunk)) as url:
        found, seconds = sent(url, timeout=5)
    assert found.status == status
    assert len(found.excerpt) <= 1000
    assert seconds < 4


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (RESET, None),
        (b"", None),
        (b"nonsense\r\n\r\n", None),
        (b"HTTP/1.1 abc\r\n\r\n", None),
        (b"HTTP/1.1 99999 X\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", None),
        (b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\nshort", 500),
        (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", 200),
        (b"HTTP/1.1 204 OK\r\n\r\n", 204),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 101),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n", 201),
    ],
)
def test_a_broken_answer_is_an_answer_or_none(reply: bytes | str, status: int | None) -> None:
    with serve_raw(reply) as server:
        found, seconds = sent(server.url, timeout=2)
    assert found.status == status
    assert found.delivered == (status is not None and 200 <= status < 300)
    assert seconds < 5


def test_nobody_listens() -> None:
    found, _ = sent(unused_url())
    assert (found.status, found.delivered) == (None, False)
    assert "cannot be reached" in found.error


def test_every_status_leads_to_delivered_or_to_a_dead_letter() -> None:
    every = {*range(200, 600, 7), 204, 299, 300, 304, 399, 499} - {410}
    with serve(lambda request: answer(b"", int(request.path[1:]))) as server:
        targets = {
            f"s{status}": target(f"{server.url}/{status}", retry={"delays": [0]})
            for status in every
        }
        subscribe(targets)
        emit("user.created", {})
        deliver(seconds=60)
    assert states().count("delivered") == sum(status < 300 for status in every)
    assert states().count("dead") == sum(status >= 300 for status in every)


def test_secrets_in_an_answer_are_not_kept() -> None:
    with serve(
        lambda _: answer({"error": "bad", "api_key": "sk_live_abcdefghijkl"}, 400)
    ) as server:
        found, _ = sent(server.url)
    assert "sk_live" not in found.excerpt
    assert "bad" in found.excerpt


def test_a_dead_target_does_not_delay_another() -> None:
    with serve_raw(HANG) as dead, serve(lambda _: {}) as alive:
        subscribe({"dead": target(dead.url, timeout=3), "alive": target(alive.url)})
        for number in range(200):
            emit("user.created", {"number": number})
        deliver(lambda: len(alive.requests) >= 200, seconds=20)
    assert len(alive.requests) == 200
