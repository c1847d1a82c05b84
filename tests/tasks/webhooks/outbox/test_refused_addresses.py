"""Where no delivery goes: private and local addresses, however they are written or resolved."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from tests.support.server import serve
from tests.tasks.webhooks.outbox.delivering import SECRET

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.blocks.webhooks.target import WebhookTarget
from astrio.tasks.http.addresses import AddressGuard
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.receiver import prepared
from astrio.tasks.webhooks.outbox.sender import Sender

# The first, one in the middle and the last of each network that is not public (RFC 6890 and its
# successors, multicast, class E, the metadata services of clouds).
PRIVATE_IPV4 = [
    "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.20.30.40", "10.255.255.255", "100.64.0.1",
    "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.1.2.3", "127.255.255.254",
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.20.1.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
]  # fmt: skip
PRIVATE_IPV6 = [
    "::", "::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1",
    "fe80::a9fe:a9fe", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "2001::1",
    "2001:10::1", "2001:20::1", "2002::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::1",
    "4000::1", "0200::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.9.9.9", "13.32.0.1", "20.50.2.3", "34.120.0.1", "52.94.236.248",
    "64.233.160.1", "93.184.216.34", "99.255.255.255", "100.63.255.255", "100.128.0.1",
    "104.16.0.1", "126.255.255.255", "128.0.0.1", "140.82.112.3", "151.101.1.69",
    "162.158.0.1", "168.63.129.15", "169.253.255.255", "169.255.0.1", "172.15.255.255",
    "172.32.0.1", "185.199.108.153", "191.255.255.255", "192.0.1.1", "192.1.0.1",
    "192.167.255.255", "192.169.0.1", "198.17.255.255", "198.20.0.1", "198.51.99.255",
    "203.0.112.255", "203.0.114.1", "216.58.192.1", "223.255.255.255", "11.0.0.1", "9.255.255.255",
    "2600:1f18::1", "2606:4700:4700::1111", "2607:f8b0:4004:800::200e", "2620:fe::fe",
    "2a00:1450:4001:81b::200e", "2a03:2880:f12f:83:face:b00c:0:25de", "2a04:4e42::81",
    "2400:cb00::1", "2803:f800::1", "2c0f:fb50::1", "2001:4860:4860::8888", "2001:500:2::c",
    "2610:20::1", "3ffe:ffff::1",
]  # fmt: skip


def ipv4_forms(text: str) -> Iterator[str]:
    """Yield what getaddrinfo, and so a connection, takes for an address."""
    number = int(IPv4Address(text))
    a, b, c, d = (number >> shift & 255 for shift in (24, 16, 8, 0))
    yield text
    yield f"{text}."
    yield str(number)
    yield hex(number)
    yield hex(number).upper().replace("X", "x")
    yield f"0{number:o}"
    yield f"0{a:o}.0{b:o}.0{c:o}.0{d:o}"
    yield f"{a:#x}.{b:#x}.{c:#x}.{d:#x}"
    yield f"{a}.{number & 0xFFFFFF}"
    yield f"{a}.{b}.{number & 0xFFFF}"
    yield f"{a:#x}.{b}.0{number & 0xFFFF:o}"
    yield f"[::ffff:{text}]"
    yield f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]"


def ipv6_forms(text: str) -> Iterator[str]:
    address = IPv6Address(text)
    yield f"[{address}]"
    yield f"[{address.exploded}]"
    yield f"[{address.exploded.upper()}]"
    yield f"[{address}%25eth0]"


def wrapped(text: str) -> Iterator[str]:
    """Yield IPv6 addresses that lead to an IPv4 address: NAT64, 6to4, Teredo, compatible."""
    number = int(IPv4Address(text))
    yield f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]"
    yield f"[64:ff9b:1::{number >> 16:x}:{number & 0xFFFF:x}]"
    yield f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]"
    yield f"[2001::{~number >> 16 & 0xFFFF:x}:{~number & 0xFFFF:x}]"
    yield f"[::{text}]"


REFUSED = sorted(
    {
        *itertools.chain.from_iterable(map(ipv4_forms, PRIVATE_IPV4)),
        *itertools.chain.from_iterable(map(ipv6_forms, PRIVATE_IPV6)),
        *itertools.chain.from_iterable(map(wrapped, PRIVATE_IPV4)),
    }
)


def target(url: str, **settings: object) -> WebhookTarget:
    return WebhookTarget.model_validate({"url": url, "secret": SECRET, **settings})


def sent(url: str, addresses: Sequence[str] = (), **settings: object) -> Answer:
    """Send one delivery to a URL whose host resolves to these addresses."""

    async def lookup(_: str, __: int) -> Sequence[str]:
        return addresses

    async def send() -> Answer:
        sender = Sender(lookup)
        try:
            receiver = prepared("t", target(url, timeout=2, **settings), ())
            return await sender.send(receiver, "msg_1", b"{}")
        finally:
            await sender.close()

    return asyncio.run(send())


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) >= 500
    assert len(PUBLIC) >= 50


def test_every_private_address_is_refused_in_every_form() -> None:
    guard = AddressGuard()
    reached = []
    for host in REFUSED:
        try:
            guard.check(host.replace("%25", "%"), 443)
        except ApiAnswerError:
            continue
        reached.append(host)
    assert reached == []


def test_every_private_address_is_refused_when_a_name_resolves_to_it() -> None:
    async def reached() -> list[str]:
        found = []
        for address in (*PRIVATE_IPV4, *PRIVATE_IPV6, "fe80::1%2", "::ffff:10.0.0.1"):

            async def lookup(_: str, __: int, address: str = address) -> Sequence[str]:
                return ["93.184.216.34", address]

            try:
                await AddressGuard(lookup=lookup).addresses("hooks.example.com", 443)
            except ApiAnswerError:
                continue
            found.append(address)
        return found

    assert asyncio.run(reached()) == []


def test_public_addresses_are_not_refused() -> None:
    guard = AddressGuard()
    for address in PUBLIC:
        guard.check(f"[{address}]" if ":" in address else address, 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"])
def test_nothing_is_sent_to_a_private_address(host: str) -> None:
    with serve(lambda _: {}) as server:
        port = server.url.rpartition(":")[2]
        answer = sent(f"http://{host}:{port}/")
        assert server.requests == []
    assert answer.status is None
    assert "private or local address" in answer.error


def test_a_name_that_resolves_to_a_private_address_is_refused() -> None:
    with serve(lambda _: {}) as server:
        port = server.url.rpartition(":")[2]
        answer = sent(f"http://hooks.example.com:{port}/", ["127.0.0.1"])
        assert server.requests == []
    assert "private or local address" in answer.error


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to() -> None:
    """DNS rebinding: a second look would lead to the local server."""
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return ["192.0.2.1"] if len(asked) == 1 else ["127.0.0.1"]

    async def attempts(url: str) -> list[Answer]:
        sender = Sender(rebinding)
        receiver = prepared("t", target(url, timeout=2), ())
        answers = [await sender.send(receiver, "msg_1", b"{}") for _ in range(3)]
        await sender.close()
        return answers

    with serve(lambda _: {}) as server:
        port = server.url.rpartition(":")[2]
        answers = asyncio.run(attempts(f"http://hooks.example.com:{port}/"))
        assert server.requests == []
    assert len(asked) == 3
    assert all("private or local address" in each.error for each in answers)


def test_a_private_host_is_reached_only_if_it_is_allowed_and_by_its_own_target() -> None:
    with serve(lambda _: {}) as server:
        host = server.url.removeprefix("http://")
        assert sent(server.url, allow_private_hosts=[host]).delivered
        assert sent(server.url, allow_private_hosts=["127.0.0.1"]).delivered
        assert not sent(server.url, allow_private_hosts=["127.0.0.1:1"]).delivered
        assert not sent(server.url).delivered
        assert len(server.requests) == 2


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda _: {}) as proxy, serve(lambda _: {}) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        host = server.url.removeprefix("http://")
        assert sent(server.url, allow_private_hosts=[host]).delivered
        assert (len(proxy.requests), len(server.requests)) == (0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://user:password@example.com/",
        "https://127.0.0.1@example.com/",
        "https://exa mple.com/",
        "https://example.com/#fragment",
        "https://127\u30020\u30020\u30021/",
        "https://\uff45xample.com/",
        "https://",
        "example.com",
        "https://example.com/\r\nX-Injected: 1",
    ],
)
def test_what_is_no_plain_url_is_no_target(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="target's URL"):
        target(url)
    monkeypatch.setenv("HOOK_URL", url)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        prepared("t", target("${env:HOOK_URL}"), ())


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b"])
def test_a_header_cannot_smuggle_another(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="line break"):
        target("https://example.com", headers={"X-Name": value})
    if "\0" not in value:
        monkeypatch.setenv("HEADER", value)
        referring = target("https://example.com", headers={"X-Name": "${env:HEADER}"})
        with pytest.raises(ConfigurationError, match="line break"):
            prepared("t", referring, ())
