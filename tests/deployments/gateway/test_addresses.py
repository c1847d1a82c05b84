"""Who sends: addresses in all their forms, networks, and the hops that proxies name."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.deployments.gateway.addresses import Networks, canonical, sender

ADDRESSES = st.ip_addresses(v=4) | st.ip_addresses(v=6)
PROXIES = Networks(["10.0.0.0/8", "::1/128"])


@given(ADDRESSES)
def test_every_address_is_read_as_it_is_written(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert canonical(str(address)) == (mapped or address)


@given(st.ip_addresses(v=4))
def test_an_address_within_ipv6_is_the_ipv4_address(address: IPv4Address) -> None:
    assert canonical(f"::ffff:{address}") == address
    assert Networks([f"{address}/32"]).hold(f"::ffff:{address}")
    assert Networks([f"::ffff:{address}/128"]).hold(str(address))


@given(ADDRESSES, st.integers(0, 65535))
def test_a_port_is_left_out(address: IPv4Address | IPv6Address, port: int) -> None:
    written = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
    assert canonical(written) == canonical(str(address))


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    canonical(text)
    Networks(["0.0.0.0/0"]).hold(text)
    sender("10.0.0.1", [(b"x-forwarded-for", text.encode("utf-8", "replace"))], PROXIES)


@given(st.lists(ADDRESSES, max_size=5), ADDRESSES)
def test_what_stands_left_of_the_first_stranger_never_counts(
    made_up: list[IPv4Address | IPv6Address], stranger: IPv4Address | IPv6Address
) -> None:
    known = canonical(str(stranger))
    if PROXIES.hold(str(stranger)):
        return
    hops = ", ".join([*map(str, made_up), str(stranger), "10.9.9.9"])
    assert sender("::1", [(b"x-forwarded-for", hops.encode())], PROXIES) == str(known)


def test_a_peer_that_is_no_proxy_is_the_sender() -> None:
    headers = [(b"x-forwarded-for", b"203.0.113.7")]
    assert sender("198.51.100.1", headers, PROXIES) == "198.51.100.1"
    assert sender("10.0.0.1", headers, Networks(())) == "10.0.0.1"


def test_a_proxy_that_names_nobody_is_the_sender() -> None:
    assert sender("10.0.0.1", [], PROXIES) == "10.0.0.1"


def test_if_all_hops_are_proxies_the_first_is_the_sender() -> None:
    assert sender("10.0.0.1", [(b"x-forwarded-for", b"10.0.0.3, 10.0.0.2")], PROXIES) == "10.0.0.3"


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "01.2.3.4", "1.2.3.4.", "[::1", "[::1]x", "::g", "a"]
)
def test_what_is_no_address_is_in_no_network(text: str) -> None:
    assert canonical(text) is None
    assert not Networks(["0.0.0.0/0", "::/0"]).hold(text)


def test_networks_remember_a_bounded_number_of_addresses() -> None:
    networks = Networks(["10.0.0.0/8"])
    for number in range(10_000):
        assert networks.hold(str(ip_address(0x0A000000 + number)))
    assert len(networks._known) <= 8192
