from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.tasks.ledger.sealing import VARIABLE, keys_in_effect, seal, unseal, write_once

ONE, OTHER = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "home"


def test_without_a_key_of_yours_one_is_made_for_its_owner_alone(home: Path) -> None:
    sealed = seal("token")
    file = home / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "token" not in sealed
    assert unseal(sealed) == "token"
    assert list(home.glob("secret.key.*")) == []


def test_keys_can_be_rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ONE)
    sealed = seal("token")
    monkeypatch.setenv(VARIABLE, f"{OTHER}, {ONE}")
    assert unseal(sealed) == "token"
    sealed = seal("again")
    monkeypatch.setenv(VARIABLE, OTHER)
    assert unseal(sealed) == "again"
    assert OTHER not in redact(f"the key is {OTHER}")


def test_another_key_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, ONE)
    sealed = seal("token")
    monkeypatch.setenv(VARIABLE, OTHER)
    with pytest.raises(ConfigurationError, match="another key") as caught:
        unseal(sealed)
    assert VARIABLE in caught.value.advice


@pytest.mark.parametrize("key", ["short", ",", "ä" * 44])
def test_a_key_that_cannot_be_used_is_told_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(ConfigurationError, match="no usable key") as caught:
        seal("token")
    assert "short" not in str(caught.value)


def test_the_key_of_the_quicker_process_counts(home: Path) -> None:
    home.mkdir()
    file = home / "secret.key"
    write_once(file, ONE)
    write_once(file, OTHER)
    assert file.read_text() == f"{ONE}\n"
    assert [each.name for each in home.iterdir()] == ["secret.key"]


def test_a_hash_cannot_be_guessed_without_the_key_and_outlives_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, ONE)
    known = keys_in_effect().digest("quarantine", "ada \ud800")
    assert keys_in_effect().digest("other", "ada \ud800") != known
    monkeypatch.setenv(VARIABLE, f"{OTHER},{ONE}")
    assert keys_in_effect().digest("quarantine", "ada \ud800") == known
    monkeypatch.setenv(VARIABLE, OTHER)
    assert keys_in_effect().digest("quarantine", "ada \ud800") != known


def test_keys_are_told_apart_by_a_name_that_says_nothing_about_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, f"{OTHER},{ONE}")
    name = keys_in_effect().name
    assert (len(name), name in OTHER) == (8, False)
    monkeypatch.setenv(VARIABLE, ONE)
    assert keys_in_effect().name != name


def test_a_key_that_cannot_be_kept_is_told(home: Path) -> None:
    home.write_text("no folder")
    with pytest.raises(ConfigurationError, match=r"secret\.key") as caught:
        seal("token")
    assert VARIABLE in caught.value.advice
