"""From what the user names, a file or an integration, to the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import say
from astrio.flows.integration import Integration
from astrio.flows.reading.read import read_integration
from astrio.flows.variables import require_variables

SUFFIXES = (".yaml", ".yml", ".json")
FOLDERS = (Path(), Path("integrations"))
_YAML_KEY = re.compile(r"""^(["']?)(source|push|webhook)\1\s*:""", re.MULTILINE)
_YAML_URL = re.compile(r"""^(["']?)url\1\s*:""", re.MULTILINE)
_OF_REQUESTS = ("method", "body", "form", "content", "embeds")
_YAML_REQUEST = re.compile(rf"""^(["']?)({"|".join(_OF_REQUESTS)})\1\s*:""", re.MULTILINE)
_JSON_KEY = re.compile(r'"(source|push|webhook)"\s*:')
_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def find_integration(named: str) -> Path:
    """Return the file that `named` is, or the file of the integration of that name.

    A name is looked for in the current folder and in `integrations/`, then among the integrations
    that have run before.

    Raises:
        ConfigurationError: there is none.
    """
    path = Path(named)
    if path.is_file() or not _NAME.fullmatch(named):
        return _existing(path)
    for candidate in (folder / f"{named}{suffix}" for folder in FOLDERS for suffix in SUFFIXES):
        if candidate.is_file():
            return candidate
    return _existing(_file_that_ran(named) or path)


def load(named: str) -> Integration:
    """Read a file for a command that talks to the API: warnings are shown, variables are there.

    Raises:
        ConfigurationError: no such file, a mistake in it, or a variable that is not set.
    """
    path = find_integration(named)
    loaded = read_integration(path)
    for warning in loaded.warnings:
        say(warning.located(path))
    require_variables(loaded.integration)
    return loaded.integration


def address(integration: Integration) -> str:
    """Return where the integration reads from, for people: a URL, or a saved connection's name."""
    api = integration.source.api
    if integration.source.python is not None:
        return integration.source.python
    if api is None:
        return f"the source of {integration.name}"
    return f"the saved API {api}" if isinstance(api, str) else api.base_url


def write_new(path: Path, text: str) -> Path:
    """Write a file that must not exist yet, and its folder if needed.

    Raises:
        ConfigurationError: it exists, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} exists already and is left as it is.", advice="Choose another name or folder."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder.", advice="Name an integration file in it.")
    if not path.exists():
        raise ConfigurationError(
            f"There is no file or integration {path}.", advice=_advice(files_in(FOLDERS))
        )
    return path


def _advice(files: list[Path]) -> str:
    if files:
        return f"Here are: {', '.join(map(str, files[:10]))}."
    return "`astrio init` writes an example."


def _file_that_ran(name: str) -> Path | None:
    from astrio.tasks.ledger.streams import known_streams

    files = [stream.file for stream in known_streams() if stream.integration == name]
    return Path(files[0]) if files and files[0] else None


def files_in(folders: Iterable[Path]) -> list[Path]:
    """Return the files directly in `folders` with a `source:`, `push:`, `webhook:` or an action."""
    return [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.suffix in SUFFIXES and path.is_file() and _looks_like_one(path)
    ]


def _looks_like_one(path: Path) -> bool:
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return True  # reading it again will say why
    if path.suffix != ".json":
        alone = _YAML_URL.search(text) is not None and _YAML_REQUEST.search(text) is not None
        return alone or _YAML_KEY.search(text) is not None
    try:
        document = json.loads(text)
    except ValueError:
        return _JSON_KEY.search(text) is not None
    if not isinstance(document, dict):
        return False
    alone = "url" in document and not document.keys().isdisjoint(_OF_REQUESTS)
    return alone or not document.keys().isdisjoint(("source", "push", "webhook"))
