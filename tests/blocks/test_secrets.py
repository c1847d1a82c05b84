from __future__ import annotations

import sys
from pathlib import Path

import pytest

from astrio.blocks.errors import ConfigurationError, ServerUnavailableError
from astrio.blocks.redaction import redact
from astrio.blocks.secrets import is_reference, references, resolve


def test_each_reference_is_replaced_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "api.example.com")
    monkeypatch.setenv("VERSION", "2024")
    assert resolve("https://${env:HOST}/${env: VERSION }") == "https://api.example.com/2024"


def test_text_without_references_stays() -> None:
    assert resolve("$HOME ${HOME} {{x}} ${ENV:X}") == "$HOME ${HOME} {{x}} ${ENV:X}"


def test_a_value_is_not_searched_for_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTER", "${env:INNER}")
    assert resolve("${env:OUTER}") == "${env:INNER}"


def test_a_line_break_at_the_end_is_no_part_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "abc def \r\n")
    assert resolve("${env:TOKEN}") == "abc def "


@pytest.mark.parametrize("value", [None, "", "\n"])
def test_an_unset_or_empty_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("MISSING", raising=False)
    if value is not None:
        monkeypatch.setenv("MISSING", value)
    with pytest.raises(ConfigurationError, match="MISSING is not set") as caught:
        resolve("${env:MISSING}")
    assert "Export MISSING" in caught.value.advice


def test_a_reference_without_a_name_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="not set"):
        resolve("${env:}")


def test_a_secret_block_cannot_be_read_where_no_server_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "prefect", raising=False)
    with pytest.raises(ServerUnavailableError, match="No Prefect server is configured"):
        resolve("${secret:shop}")


def test_resolved_values_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "plain-looking-value")
    resolve("${env:TOKEN}")
    assert redact("got plain-looking-value back") == "got *** back"


def test_references_are_listed() -> None:
    assert list(references("${env:A} and ${secret: b}")) == [("env", "A"), ("secret", "b")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env:A}", True),
        ("Bearer ${env:A}", True),
        ("Token token=${env:A}", True),
        ("${env:A}${env:B}", True),
        ("abc", False),
        ("", False),
        ("sk_live_1${env:A}", False),
    ],
)
def test_a_text_only_refers_or_holds_something_itself(text: str, expected: bool) -> None:
    assert is_reference(text) is expected
