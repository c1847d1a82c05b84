"""Requests reach public addresses and what the operator configured, whatever data asks for."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.reading import send
from tests.support.server import answer, serve

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.http.addresses import (
    AddressGuard,
    GuardedResolver,
    is_public,
    literal_address,
    system_lookup,
)
from astrio.tasks.http.origins import Origins
from astrio.tasks.http.session import open_session


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_of_no_public_network_is_known(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "::ffff:8.8.8.8", "2606:4700::1", "2a00:1450::1"]
)
def test_a_public_address_is_known(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not (is_public(address) and (address.is_private or address.is_multicast))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "127.1",
        "0x7f.1",
        "0X7F000001",
        "127.0.0.1.",
        "017700000001",
        "[::ffff:127.0.0.1]",
    ],
)
def test_every_spelling_of_an_address_is_read(host: str) -> None:
    address = literal_address(host)
    assert address is not None
    assert not is_public(address)
    with pytest.raises(ApiAnswerError, match="private or local"):
        AddressGuard().check(host, 80)


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com", "09.1", "1.2.3.4.5", "x1"]
)
def test_a_name_is_no_address(host: str) -> None:
    assert literal_address(host) is None


def test_a_zone_does_not_hide_a_link_local_address() -> None:
    with pytest.raises(ApiAnswerError):
        AddressGuard().check("fe80::1%eth0", 80)


def answering(*rounds: Sequence[str]) -> Any:
    left = list(rounds)

    async def lookup(host: str, port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return lookup


async def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    guard = AddressGuard(lookup=answering(["8.8.8.8", "10.0.0.1"]))
    with pytest.raises(ApiAnswerError, match=r"evil\.example"):
        await guard.addresses("evil.example", 443)


async def test_only_the_configured_port_of_a_host_may_be_private() -> None:
    guard = AddressGuard([("api.corp", 443)], answering(["10.0.0.1"]))
    assert await guard.addresses("API.corp.", 443) == ["10.0.0.1"]
    with pytest.raises(ApiAnswerError):
        await guard.addresses("api.corp", 8080)


async def test_a_resolver_gives_what_was_checked_by_family() -> None:
    resolver = GuardedResolver(AddressGuard(lookup=answering(["8.8.8.8", "2606:4700::1"])))
    both = await resolver.resolve("a.example", 443)
    assert [entry["host"] for entry in both] == ["8.8.8.8", "2606:4700::1"]
    four = await resolver.resolve("a.example", 443, socket.AF_INET)
    assert [entry["host"] for entry in four] == ["8.8.8.8"]
    await resolver.close()


async def test_the_system_resolves_names() -> None:
    assert "127.0.0.1" in await system_lookup("localhost", 80)
    with pytest.raises(socket.gaierror):
        await system_lookup("no-such-host.invalid", 80)


def test_private_hosts_are_trusted_at_their_ports() -> None:
    api = RestApi(base_url="https://A.corp", allow_private_hosts=("b.corp", "c.corp:8443"))
    assert Origins(api).endpoints() == {
        ("a.corp", 443),
        ("b.corp", 80),
        ("b.corp", 443),
        ("c.corp", 8443),
    }


@pytest.mark.parametrize("http2", [False, True])
class TestConnections:
    """The connection itself, over both transports."""

    async def test_a_listed_private_host_is_refused_and_nothing_sent_there(
        self, http2: bool
    ) -> None:
        with (
            serve(lambda _: {}) as other,
            serve(lambda _: answer({}, 302, {"Location": other.url + "/x"})) as server,
        ):
            hosts = [other.url.removeprefix("http://")]
            with pytest.raises(ApiAnswerError, match="private or local") as caught:
                await send(server.url, allow_hosts=hosts, http2=http2)
            assert "allow_private_hosts" in caught.value.advice
            assert caught.value.request
            assert not other.requests

    @pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "localhost", "[::1]"])
    async def test_no_spelling_reaches_the_loopback(self, host: str, http2: bool) -> None:
        with serve(lambda _: {}) as other:
            port = other.url.rpartition(":")[2]
            api = RestApi(base_url="http://api.example", http2=http2)
            async with open_session(api) as session:
                with pytest.raises(ApiAnswerError, match="private or local"):
                    await session.get(f"http://{host}:{port}/")
            assert not other.requests

    async def test_a_name_that_is_bound_again_does_not_get_through(self, http2: bool) -> None:
        with serve(lambda _: {}) as other:
            port = other.url.rpartition(":")[2]
            api = RestApi(base_url="http://api.example", http2=http2, timeout=0.2)
            lookup = answering(["127.0.0.1"])
            async with open_session(api, lookup) as session:
                with pytest.raises(ApiAnswerError):
                    await session.get(f"http://rebound.example:{port}/")
            assert not other.requests

    async def test_the_configured_host_may_be_private_and_moves(self, http2: bool) -> None:
        with serve(lambda _: {"ok": True}) as server:
            port = server.url.rpartition(":")[2]
            api = RestApi(base_url=f"http://api.corp:{port}", http2=http2)
            async with open_session(api, answering(["127.0.0.1"])) as session:
                got = await session.get(f"http://api.corp:{port}/x")
            assert got.json() == {"ok": True}
            assert server.requests[0].headers["Host"] == f"api.corp:{port}"

    async def test_an_unknown_host_is_a_connection_error(self, http2: bool) -> None:
        async def unknown(host: str, port: int) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        api = RestApi(base_url="http://api.corp", http2=http2)
        async with open_session(api, unknown) as session:
            with pytest.raises(httpx.TransportError):
                await session.get("http://api.corp/x")

    async def test_a_signed_url_keeps_its_spelling(self, http2: bool) -> None:
        target = "/a%2Fb%7e/(x);c%3d?q=%7E+%20&r=%2f&s=a%3Ab"
        with serve(lambda _: {}) as server:
            async with open_session(RestApi(base_url=server.url, http2=http2)) as session:
                await session.get(server.url + target)
            assert server.requests[0].target == target
