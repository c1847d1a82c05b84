"""The templates are integrations without a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.flows.reading.read import read_integration
from astrio.flows.templates import template, template_names


@pytest.mark.parametrize("name", template_names())
def test_every_template_passes_check_under_a_new_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(template(name, "mine"), encoding="utf-8")
    loaded = read_integration(path)
    assert loaded.integration.name == "mine"
    assert loaded.warnings == []


def test_every_template_is_described() -> None:
    assert all(template_names().values())


def test_an_unknown_template_names_those_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="There is no template shoppify") as caught:
        template("shoppify")
    assert "rest" in caught.value.advice
