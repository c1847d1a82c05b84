"""Which Prefect server is configured, told without importing Prefect."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.store.server import configured_server, own_server

PROFILES = """\
active = "work"
[profiles.work]
PREFECT_API_URL = "https://prefect.example.com/api/"
PREFECT_API_AUTH_STRING = "ann:s3cret-words"
[profiles.other]
PREFECT_API_URL = "http://other.example.com/api"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and an empty Prefect home."""
    for name in ("API_URL", "API_KEY", "API_AUTH_STRING", "PROFILE", "PROFILES_PATH"):
        monkeypatch.delenv(f"PREFECT_{name}", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_with_nothing_there_is_none() -> None:
    assert configured_server().url == ""


def test_the_variable_goes_before_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "home/profiles.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_API_URL", "http://here.example.com/api")
    assert configured_server().url == "http://here.example.com/api"


def test_the_active_profile_counts(folder: Path) -> None:
    (folder / "home/profiles.toml").write_text(PROFILES)
    server = configured_server()
    assert server.url == "https://prefect.example.com/api"
    expected = base64.b64encode(b"ann:s3cret-words").decode()
    assert server.headers["Authorization"] == f"Basic {expected}"
    assert "s3cret" not in redact("ann:s3cret-words") + repr(server)


def test_a_variable_chooses_the_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(folder / "elsewhere.toml"))
    monkeypatch.setenv("PREFECT_PROFILE", "other")
    assert configured_server().url == "http://other.example.com/api"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".env", "PREFECT_API_URL=http://x.example.com/api\n"),
        ("prefect.toml", '[api]\nurl = "http://x.example.com/api"\n'),
        ("pyproject.toml", '[tool.prefect.api]\nurl = "http://x.example.com/api"\n'),
    ],
)
def test_the_folders_own_settings_go_before_the_profile(folder: Path, file: str, text: str) -> None:
    (folder / "home/profiles.toml").write_text(PROFILES)
    (folder / file).write_text(text)
    assert configured_server().url == "http://x.example.com/api"


def test_prefects_own_settings_say_the_same(folder: Path) -> None:
    (folder / "home/profiles.toml").write_text(PROFILES)
    (folder / ".env").write_text("PREFECT_API_KEY=pnu_key\n")
    (folder / "prefect.toml").write_text('[api]\nurl = "http://x.example.com/api"\n')
    code = "from prefect.settings import get_current_settings as s; print(s().api.url)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert configured_server().url == told.stdout.strip() == "http://x.example.com/api"


def test_a_key_is_sent_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "pnu_key-s3cret")
    assert configured_server().headers["Authorization"] == "Bearer pnu_key-s3cret"
    assert "pnu_key-s3cret" not in redact("a pnu_key-s3cret")


def test_a_server_of_ours_is_asked_with_what_it_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Authorization" not in own_server("http://x/api").headers
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "ann:own-s3cret-words")
    server = own_server("http://x/api")
    expected = base64.b64encode(b"ann:own-s3cret-words").decode()
    assert (server.url, server.headers["Authorization"]) == ("http://x/api", f"Basic {expected}")
    assert "own-s3cret" not in redact("it is own-s3cret-words")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "bob:other-words")
    expected = base64.b64encode(b"bob:other-words").decode()
    assert own_server("http://x/api").headers["Authorization"] == f"Basic {expected}"


def test_headers_of_its_own_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", '{"X-Gate": "a"}')
    assert configured_server().headers["X-Gate"] == "a"


def test_headers_that_are_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", "[1]")
    with pytest.raises(ConfigurationError, match="PREFECT_CLIENT_CUSTOM_HEADERS"):
        configured_server()


def test_a_file_that_is_no_toml_is_told_by_name(folder: Path) -> None:
    (folder / "prefect.toml").write_text("[api\n")
    with pytest.raises(ConfigurationError, match=r"prefect\.toml"):
        configured_server()


def test_certificates_and_their_absence_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    import certifi

    assert configured_server().trusted() is True
    monkeypatch.setenv("PREFECT_API_SSL_CERT_FILE", certifi.where())
    assert isinstance(configured_server().trusted(), ssl.SSLContext)
    monkeypatch.setenv("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "true")
    assert configured_server().trusted() is False
