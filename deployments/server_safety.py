"""What to warn of where a Prefect server keeps the secrets of saved blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from astrio.blocks.store.server import OWN_AUTH
from astrio.deployments.encryption import VARIABLE


def server_warnings(url: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what is unsafe about a server that somebody else has started, with what to change.

    Args:
        url: of its API.
        environment: this process's; its Prefect home is the server's if both are on one machine.
    """
    if _is_here(url) and (database := _database(environment)) and _keeps_its_key(database):
        yield (
            f"warning: Prefect keeps the key that encrypts saved blocks in {database}, beside "
            f"them. Start the server with {VARIABLE} set to a Fernet key of its own "
            "(`astrio up` does so), and save the blocks again."
        )
    if _answers_anyone(url):
        yield open_api(url)


def open_api(url: str) -> str:
    """Return the warning of an API that lets anybody in who reaches it."""
    return (
        f"warning: the Prefect API at {url} has no authentication: whoever reaches it can read "
        f"the secrets of saved blocks. Start the server with {OWN_AUTH}=user:password, and set "
        "PREFECT_API_AUTH_STRING to the same wherever astrio runs."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _database(environment: Mapping[str, str]) -> Path | None:
    if environment.get(VARIABLE):
        return None
    home = environment.get("PREFECT_HOME")
    file = (Path(home).expanduser() if home else Path.home() / ".prefect") / "prefect.db"
    return file if file.is_file() else None


def _keeps_its_key(database: Path) -> bool:
    query = "SELECT 1 FROM configuration WHERE key = 'ENCRYPTION_KEY'"
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchone() is not None
    except sqlite3.Error:
        return False


def _answers_anyone(url: str) -> bool:
    """Whether the API gives an answer without credentials; Prefect Cloud and proxies do not."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/admin/version", timeout=5)
    except httpx.HTTPError:
        return False
    return answer.is_success and "json" in answer.headers.get("content-type", "")
