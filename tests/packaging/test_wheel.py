"""A built wheel holds every module and data file, and works from an empty environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("blocks", "tasks", "flows", "deployments")
KEPT = {".py", ".yaml", ".lark", ".mako", ".typed", ".sql", ".json"}


def expected_files() -> set[str]:
    return {
        f"astrio/{path.relative_to(ROOT).as_posix()}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and (path.suffix in KEPT or path.name == "py.typed")
        if "__pycache__" not in path.parts
    }


def run(*command: object, cwd: Path | None = None, **variables: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the tree, so that nothing is left behind in it."""
    folder = tmp_path_factory.mktemp("wheel")
    run("cp", "-a", *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")), folder)
    run("cp", "-a", ROOT / ".links", *(ROOT / room for room in ROOMS), folder)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", folder)
    return next((folder / "dist").glob("*.whl"))


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("astrio/")}
        others = {name.split("/")[0] for name in archive.namelist()} - {"astrio"}
    assert held == expected_files()
    assert [name.endswith(".dist-info") for name in others] == [True]


def test_the_wheel_works_from_another_folder_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False, system_site_packages=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = run(python, "-c", "import site; print(site.getsitepackages()[0])").strip()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # The dependencies come from the environment of the tests: the wheel is what is tried here.
    (Path(site) / "dependencies.pth").write_text(
        next(path for path in sys.path if path.endswith("site-packages"))
    )
    program = "import astrio.blocks as b; print(b.__file__)"
    assert run(python, "-c", program, cwd=tmp_path).startswith(site)
    main = "from astrio.deployments.cli import main; main()"
    run(python, "-c", main, "init", "project", cwd=tmp_path)
    run(python, "-c", main, "check", cwd=tmp_path / "project")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_wheel_installs_into_an_empty_environment_and_runs_the_demo(
    wheel: Path, tmp_path: Path
) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    scripts = tmp_path / "venv" / "bin"
    run(scripts / "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    assert "demo" in run(scripts / "astrio", "--help", cwd=tmp_path)
    shown = run(scripts / "astrio", "demo", cwd=tmp_path, ASTRIO_HOME=str(tmp_path / "home"))
    assert "37 written" in shown
