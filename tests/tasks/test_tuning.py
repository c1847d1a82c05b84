"""Knobs are read from the environment; what is no number is refused."""

from __future__ import annotations

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.tuning import number


def test_a_knob_that_is_not_set_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_CHUNK_ROWS", " ")
    assert number("CHUNK_ROWS", 7) == 7


def test_a_knob_is_set_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_CHUNK_ROWS", "20000")
    assert number("CHUNK_ROWS", 7) == 20_000


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf"])
def test_what_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ASTRIO_CHUNK_ROWS", text)
    with pytest.raises(ConfigurationError, match="ASTRIO_CHUNK_ROWS"):
        number("CHUNK_ROWS", 7)
