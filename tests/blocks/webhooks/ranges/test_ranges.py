from __future__ import annotations

import json
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from astrio.blocks.errors import ApiAnswerError, ConfigurationError
from astrio.blocks.webhooks.ranges.reading import networks_of, published, vendors
from astrio.blocks.webhooks.ranges.refreshing import refreshed, save
from astrio.blocks.webhooks.source import WebhookSource

TODAY = date(2027, 1, 2)


@pytest.mark.parametrize("vendor", vendors())
def test_each_vendor_s_list_has_a_source_and_a_date_and_public_networks(vendor: str) -> None:
    found = published(vendor)
    assert found.source
    assert date.fromisoformat(found.date) <= date(2026, 11, 28)
    assert all(network.is_global for network in networks_of(vendor))


def test_a_source_may_name_a_vendor_beside_a_network() -> None:
    source = WebhookSource.model_validate(
        {"secret": "canary-1", "scheme": "github", "allow": ["github", "10.0.0.0/8"]}
    )
    allowed = source.networks()
    assert ip_network("10.0.0.0/8") in allowed
    assert any(ip_address("140.82.115.3") in network for network in allowed)
    assert not any(ip_address("8.8.8.8") in network for network in allowed)


@pytest.mark.parametrize("text", ["nobody", "", "1.2.3.4/33", "10.0.0.1/8", "fe80::1%eth0/64"])
def test_what_is_no_network_is_told_with_what_could_be_meant(text: str) -> None:
    with pytest.raises(ValueError, match="nor one of convoy, github"):
        networks_of(text)


def test_a_refreshed_list_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    document = json.dumps({"hooks": ["192.30.252.0/22", "2a0a:a440::/29"], "web": ["1.1.1.1/32"]})
    found = refreshed("github", document.encode(), TODAY)
    assert (found.date, found.networks) == ("2027-01-02", ("192.30.252.0/22", "2a0a:a440::/29"))
    assert save("github", found, tmp_path / "new") == tmp_path / "new" / "github.json"
    assert networks_of("github", tmp_path / "new") == tuple(map(ip_network, found.networks))
    assert networks_of("stripe", tmp_path / "new") == networks_of("stripe")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["github.json"]


def test_lists_by_region_are_one() -> None:
    document = b'{"us": ["44.228.126.217"], "eu": ["52.215.16.239"], "moon": ["1.1.1.1"]}'
    assert refreshed("svix", document, TODAY).networks == ("44.228.126.217/32", "52.215.16.239/32")


def test_a_newer_astrio_knows_better_than_an_old_refresh(tmp_path: Path) -> None:
    old = refreshed("stripe", b'{"WEBHOOKS": ["3.18.12.63"]}', date(2020, 1, 1))
    save("stripe", old, tmp_path)
    assert networks_of("stripe", tmp_path) == networks_of("stripe")


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b"<html>", b"[]", b"{}", b'{"hooks": []}', b'{"hooks": null}', b'{"hooks": [{}]}'),
        *(b'{"hooks": ["0.0.0.0/0"]}', b'{"hooks": ["::/0"]}', b'{"hooks": ["10.0.0.0/8"]}'),
        *(
            b'{"hooks": ["127.0.0.1"]}',
            b'{"hooks": ["1.2.3.4/8"]}',
            b'{"hooks": 5}',
            b"[" * 100_000,
        ),
        json.dumps({"hooks": ["192.30.252.0/22"] * 10_001}).encode(),
    ],
)
def test_a_list_that_cannot_be_the_vendor_s_changes_nothing(document: bytes) -> None:
    with pytest.raises(ApiAnswerError, match="networks of github cannot be used"):
        refreshed("github", document, TODAY)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "github.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        networks_of("github", tmp_path)
