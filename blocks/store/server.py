"""Which Prefect server is configured, as Prefect itself would read it, without importing Prefect.

The order of Prefect's sources: the environment, `.env`, `prefect.toml`, `[tool.prefect]` of
`pyproject.toml`, the active profile (https://docs.prefect.io/v3/concepts/settings-and-profiles).
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import remember

_SETTINGS = {
    # Prefect's variable: where the same stands in its TOML files
    "PREFECT_API_URL": ("api", "url"),
    "PREFECT_API_KEY": ("api", "key"),
    "PREFECT_API_AUTH_STRING": ("api", "auth_string"),
    "PREFECT_API_SSL_CERT_FILE": ("api", "ssl_cert_file"),
    "PREFECT_API_TLS_INSECURE_SKIP_VERIFY": ("api", "tls_insecure_skip_verify"),
    "PREFECT_CLIENT_CUSTOM_HEADERS": ("client", "custom_headers"),
}


OWN_AUTH = "PREFECT_SERVER_API_AUTH_STRING"
"""What a server asks for that is started here; whoever knows it is let in."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to reach Prefect's API.

    Attributes:
        url: such as `http://127.0.0.1:4200/api`; empty if none is configured.
        headers: the credentials and whatever else each request carries.
        certificates: a file of trusted authorities, empty for the usual ones.
        insecure: whether any certificate is taken.
    """

    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: str = ""
    insecure: bool = False

    def trusted(self) -> ssl.SSLContext | bool:
        """Return what httpx takes as `verify`."""
        if self.insecure:
            return False
        return ssl.create_default_context(cafile=self.certificates) if self.certificates else True


def configured_server() -> Server:
    """Return the server that Prefect's own settings name.

    Raises:
        ConfigurationError: a settings file cannot be read.
    """
    found = _found()
    headers = {"Accept": "application/json", **_custom_headers(found)}
    if credentials := _credentials(found):
        headers["Authorization"] = credentials
    return Server(
        url=str(found["PREFECT_API_URL"] or "").rstrip("/"),
        headers=headers,
        certificates=str(found["PREFECT_API_SSL_CERT_FILE"] or ""),
        insecure=str(found["PREFECT_API_TLS_INSECURE_SKIP_VERIFY"]).lower() in ("true", "1", "yes"),
    )


def own_server(url: str) -> Server:
    """Return the server that astrio has started itself; raises as `configured_server`."""
    server = configured_server()
    headers = dict(server.headers)
    if "Authorization" not in headers and (own := os.environ.get(OWN_AUTH)):
        headers["Authorization"] = _basic(own)
    return replace(server, url=url, headers=headers)


def _credentials(found: Mapping[str, Any]) -> str:
    """Return the Authorization header; an auth string goes before a key, as in Prefect."""
    if words := str(found["PREFECT_API_AUTH_STRING"] or ""):
        return _basic(words)
    if key := str(found["PREFECT_API_KEY"] or ""):
        remember(key)
        return f"Bearer {key}"
    return ""


def _basic(words: str) -> str:
    remember(words)
    remember(words.partition(":")[2])
    return f"Basic {base64.b64encode(words.encode()).decode()}"


def _custom_headers(found: Mapping[str, Any]) -> dict[str, str]:
    given = found["PREFECT_CLIENT_CUSTOM_HEADERS"]
    try:
        headers = json.loads(given) if isinstance(given, str) and given else given or {}
        return {str(name): str(value) for name, value in headers.items()}
    except (ValueError, AttributeError):
        raise ConfigurationError(
            "PREFECT_CLIENT_CUSTOM_HEADERS is no JSON object of headers.",
            advice='Write e.g. {"X-Gateway-Key": "…"}.',
        ) from None


def _found() -> dict[str, Any]:
    """Return the value of each setting, from the first source that has one."""
    dotenv = _dotenv()
    tables = [_toml(Path("prefect.toml")), _project_table()]
    profile = _active_profile(dotenv, tables)
    return {
        name: os.environ.get(name)
        or dotenv.get(name)
        or next(filter(None, (_below(table, *keys) for table in tables)), None)
        or profile.get(name)
        for name, keys in _SETTINGS.items()
    }


def _dotenv() -> Mapping[str, str | None]:
    if not Path(".env").is_file():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(".env")


def _project_table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = _below(_toml(Path("pyproject.toml")), "tool", "prefect") or {}
    return table


def _active_profile(
    dotenv: Mapping[str, str | None], tables: list[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return the active profile's settings, by the variables' names."""
    given = os.environ.get("PREFECT_PROFILES_PATH") or dotenv.get("PREFECT_PROFILES_PATH")
    given = given or next(filter(None, (table.get("profiles_path") for table in tables)), None)
    home = os.environ.get("PREFECT_HOME")
    folder = Path(home).expanduser() if home else Path.home() / ".prefect"
    document = _toml(Path(given) if given else folder / "profiles.toml")
    active = os.environ.get("PREFECT_PROFILE") or document.get("active")
    found: Mapping[str, Any] = _below(document, "profiles", str(active)) or {}
    return found


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}, which may name the Prefect server, cannot be read ({type(error).__name__}).",
            advice="Mend it; it must be valid TOML.",
        ) from None


def _below(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document
