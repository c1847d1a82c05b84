"""The systemd unit and the compose file, checked as far as this goes without systemd and Docker."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
COMPOSE = DEPLOYMENTS / "compose.yaml"
UNIT = DEPLOYMENTS / "astrio.service"


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run([*check, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_no_secret_of_the_compose_file_has_a_default() -> None:
    names = ("POSTGRES_PASSWORD", "PREFECT_AUTH", "PREFECT_ENCRYPTION_KEY")
    text = COMPOSE.read_text()
    for name in names:
        assert re.search(rf"\$\{{{name}:\?", text), f"{name} may be left out"
        assert not re.search(rf"\$\{{{name}:?-", text), f"{name} has a default"


def test_every_command_of_the_compose_file_is_one_that_exists() -> None:
    services = compose()["services"]
    lines = [
        line
        for service in services.values()
        if "command" in service
        for line in " ".join(service["command"]).removeprefix("sh -c ").split(" && ")
    ]
    assert len(lines) == 4
    for line in lines:
        program, *words = [word for word in line.split() if not word.startswith("-")]
        group = words[: 2 if program == "prefect" else 1]
        module = {"prefect": "prefect", "astrio": "astrio.deployments.cli"}[program]
        flags = {word for word in line.split() if word.startswith("--")}
        shown = help_of(module, group)
        assert flags <= set(re.findall(r"--[a-z-]+", shown)), line


def help_of(module: str, words: list[str]) -> str:
    program = f"import {module}; from {module} import *; "
    start = "from prefect.cli import app; app()" if module == "prefect" else "main()"
    result = subprocess.run(
        [sys.executable, "-c", program + start, *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PYTHONPATH": ":".join(sys.path), "HOME": "/nonexistent"},
    )
    return result.stdout


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/astrio/bin/astrio", "/bin/true"))
    command = ["systemd-analyze", "verify", str(unit)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [line for line in result.stderr.splitlines() if UNIT.name in line]
    assert not told


def test_the_unit_keeps_its_state_where_systemd_lets_it_write() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names keep their case
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["Environment"].startswith(f"ASTRIO_HOME=/var/lib/{service['StateDirectory']}/")
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
