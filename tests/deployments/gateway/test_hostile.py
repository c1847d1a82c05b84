"""What attackers send: always refused, never an error of ours, and the next one is served."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest
from tests.support.gateway import KEY, PATH, Running, gateway, integration, signed, write

HEAD = f"POST {PATH} HTTP/1.1\r\nHost: a\r\n".encode()
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("hostile")
    write(
        folder,
        integration(),
        integration("small", path="/hooks/small", max_body_bytes=2000),
        integration("behind", path="/hooks/behind", allow=["203.0.113.7", "2001:db8::/32"]),
    )
    words = ("--proxy", "127.0.0.1", "--proxy", "10.0.0.0/8", "--header-timeout", "0.3")
    with gateway(folder, *words, "--body-timeout", "0.5") as process:
        yield process


def served(running: Running) -> bool:
    return running.post(signed()).status == 202


def statuses(answered: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answered)]


REQUESTS = {
    "both lengths": HEAD
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": HEAD + b"Content-Length: 2, 2\r\n\r\nab",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "a length beyond all": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "an odd transfer coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a packed transfer": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "an endless chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "two hosts": HEAD + b"Host: b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"GET /x\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
    "a header of 64 KB": HEAD + b"X: " + b"a" * 65536 + b"\r\n\r\n",
    "a hundred and fifty headers": HEAD
    + b"".join(b"X%d: a\r\n" % number for number in range(150))
    + b"Content-Length: 0\r\n\r\n",
    "a NUL in a header": HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a folded header": HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": HEAD + b"X : a\r\nContent-Length: 0\r\n\r\n",
    "Latin-1 in a signature": HEAD
    + b"webhook-signature: v1,\xff\xe9\r\nwebhook-id: \xff\r\nContent-Length: 0\r\n\r\n",
    "an odd expectation": HEAD + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\nab",
    "an upgrade": HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
    "a websocket": GET
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "a tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "everything": b"OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "a path of bytes": b"POST /\xc3\xa9\xff HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "an escaped path": b"POST /a%2F..%00%ff HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "another host": b"POST http://evil/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "a long path": b"POST /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_refused_and_the_next_is_served(running: Running, name: str) -> None:
    answered = running.raw(REQUESTS[name])
    found = statuses(answered)
    assert all(400 <= status < 500 for status in found), answered
    assert found or name == "a tunnel"
    assert served(running)


def test_after_both_lengths_the_connection_is_closed(running: Running) -> None:
    smuggled = REQUESTS["both lengths"] + b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    answered = running.raw(smuggled)
    assert statuses(answered) == [401]
    assert b"connection: close" in answered


def test_a_body_that_is_too_large_with_its_last_chunk_is_told_to_be_so(running: Running) -> None:
    chunked = b"POST /hooks/small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    large, small, end = b"fa0\r\n" + b"x" * 4000 + b"\r\n", b"1\r\nx\r\n", b"0\r\n\r\n"
    for parts in ([chunked + large + end], [chunked, large, end], [chunked, small, large + end]):
        assert statuses(running.raw(*parts, pause=0.05)) == [413]


def test_trailers_are_no_headers(running: Running) -> None:
    delivery = signed(b"ab")
    trailers = "".join(f"{name}: {value}\r\n" for name, value in delivery.headers.items())
    sent = (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n" + trailers.encode() + b"\r\n"
    )
    assert statuses(running.raw(sent)) == [401]


SIGNATURES = {
    "none": {"webhook-signature": ""},
    "no version": {"webhook-signature": "abc"},
    "no padding": {"webhook-signature": "v1,a"},
    "three parts": {"webhook-signature": "v1,x,y"},
    "too many": {"webhook-signature": " ".join(["v1,AAAA"] * 1500)},
    "another version": {"webhook-signature": "v9,AAAA"},
    "an endless time": {"webhook-timestamp": "Infinity"},
    "a long time": {"webhook-timestamp": "9" * 400},
    "a negative time": {"webhook-timestamp": "-1"},
    "milliseconds": {"webhook-timestamp": str(int(time.time() * 1000))},
    "another id": {"webhook-id": "msg_other"},
    "a dotted id": {"webhook-id": "msg.1"},
    "a long id": {"webhook-id": "m" * 257},
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_wrong_signature_is_refused_and_the_next_is_served(running: Running, name: str) -> None:
    assert (
        running.post(
            signed(), **{key.replace("-", "_"): value for key, value in SIGNATURES[name].items()}
        ).status
        == 401
    )
    assert served(running)


@pytest.mark.parametrize("name", ["webhook-signature", "webhook-id", "webhook-timestamp"])
def test_a_repeated_header_is_refused(running: Running, name: str) -> None:
    delivery = signed()
    lines = [*delivery.headers.items(), (name, delivery.headers[name])]
    head = "".join(f"{key}: {value}\r\n" for key, value in lines).encode()
    length = b"Content-Length: %d\r\n\r\n" % len(delivery.body)
    assert statuses(running.raw(HEAD + head + length + delivery.body)) == [401]


BODIES = {
    "no JSON": b"{",
    "NaN": b'{"a": NaN}',
    "a huge float": b'{"a": 1e400}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "deep": b"[" * 100_000,
    "a million digits": b"1" * 1_000_000,
    "a name twice": b'{"a": 1, "a": 2}',
    "no text": bytes(range(256)),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BODIES)
def test_what_a_body_holds_is_no_matter_while_it_is_signed(running: Running, name: str) -> None:
    assert running.post(signed(BODIES[name])).status == 202
    assert served(running)


FORWARDED = {
    "203.0.113.7": 202,
    "203.0.113.7, 10.1.2.3": 202,
    "198.51.100.1, 203.0.113.7": 202,
    "203.0.113.7:5678": 202,
    "::ffff:203.0.113.7": 202,
    "[2001:db8::1]:443": 202,
    "2001:db8::1%eth0": 202,
    " 203.0.113.7 ,10.0.0.1": 202,
    "203.0.113.7, 198.51.100.1": 403,
    "10.0.0.1": 403,
    "": 403,
    ",": 403,
    "203.0.113.7,": 403,
    "203.0.113.7.": 403,
    "unix:": 403,
    "unknown": 403,
    "203.0.113.7:port": 403,
    "[203.0.113.7": 403,
    "0313.0.0161.7": 403,
    "203.0.113.7, unix:, 10.0.0.1": 403,
}


@pytest.mark.parametrize("text", FORWARDED)
def test_the_right_most_hop_that_is_no_proxy_counts(running: Running, text: str) -> None:
    answered = running.post(signed(), "/hooks/behind", x_forwarded_for=text)
    assert answered.status == FORWARDED[text]


def test_several_lists_of_hops_are_one(running: Running) -> None:
    delivery = signed()
    head = b"POST /hooks/behind HTTP/1.1\r\nHost: a\r\n"
    head += b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in delivery.headers.items()).encode()
    head += b"Content-Length: %d\r\n\r\n" % len(delivery.body)
    assert statuses(running.raw(head + delivery.body)) == [403]


def test_whoever_sends_nothing_is_not_waited_for(running: Running) -> None:
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    for each in idle[::2]:
        each.sendall(HEAD)
    assert served(running)
    for each in idle:
        each.settimeout(10)
        while each.recv(4096):
            pass
        each.close()


def test_thousands_of_refusals_cost_no_memory(running: Running) -> None:
    hostile = [*REQUESTS.values()]
    for each in hostile:
        running.raw(each)
    before = running.memory()
    for _ in range(5):
        for each in hostile:
            running.raw(each, patience=0.05)
    for number in range(2000):
        running.send(path=f"/guess/{number}", body=b"x")
    assert running.memory() - before < 30_000_000
    assert served(running)


def test_what_is_told_of_all_this_holds_no_secret(running: Running) -> None:
    running.raw(HEAD + f"X: {KEY}\r\nContent-Length: 0\r\n\r\n".encode())
    running.send(path=f"/{KEY}")
    assert KEY not in running.told()
    assert "Traceback" not in running.told()
