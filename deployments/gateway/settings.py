"""The gateway's own settings; those of a source stand in its integration's file."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from astrio.blocks.rates import check_rate
from astrio.blocks.settings import Settings

PRIVATE: Final = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)


class GatewaySettings(Settings):
    """Where the gateway listens, and the limits that hold for every source.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        proxies: networks of proxies whose X-Forwarded-For counts.
        metrics_to: networks that may read /metrics and the details of /health/ready.
        address_rate: most requests of one address, over all sources; empty: no limit.
        header_seconds: until a request's head must be there, and an idle connection is closed.
        body_seconds: until its body must be there.
        header_bytes: most bytes of a request's head.
        connections: most connections at a time; others wait to be accepted.
        body_memory: most bytes of unfinished bodies over all connections.
        certificate: file with the TLS certificate and its chain, PEM.
        key: file with its private key, PEM.
        refresh_networks: whether vendors' lists of networks are fetched once a day.
        access_log: whether each request is a line of JSON on standard output.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65535)
    proxies: tuple[str, ...] = ()
    metrics_to: tuple[str, ...] = PRIVATE
    address_rate: str = ""
    header_seconds: float = Field(default=5, ge=0.1, le=300)
    body_seconds: float = Field(default=10, ge=0.1, le=300)
    header_bytes: int = Field(default=32 * 1024, ge=8192, le=1024 * 1024)
    connections: int = Field(default=1024, ge=1, le=65536)
    body_memory: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)
    certificate: Path | None = None
    key: Path | None = None
    refresh_networks: bool = False
    access_log: bool = False

    @field_validator("proxies", "metrics_to")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            ip_network(each)
        return networks

    @field_validator("address_rate")
    @classmethod
    def _rate(cls, rate: str) -> str:
        return check_rate(rate)
