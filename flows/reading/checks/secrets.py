"""Secrets are references: literals, unknown reference forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from astrio.blocks.auth.base import Auth
from astrio.blocks.auth.choice import AnyAuth
from astrio.blocks.literals import PASSWORD, SENSITIVE_NAME
from astrio.blocks.secrets import REFERENCE, is_reference, references
from astrio.blocks.store.names import is_block_name, proposed_name
from astrio.flows.reading.mistakes import Mistake
from astrio.flows.reading.node import Node

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNKNOWN = re.compile(r"\$\{(?!env:|secret:|\{)[^}]*\}")
_REQUESTS = ("request", "update", "lookup")
_NAMED: Final[tuple[tuple[str, ...], ...]] = (
    ("source", "api", "headers"),
    ("source", "request", "headers"),
    ("source", "request", "params"),
    ("source", "webhook", "headers"),
    ("push", "to", "headers"),
    ("push", "to", "params"),
    ("push", "to", "api", "headers"),
    *(("push", "to", step, key) for step in _REQUESTS for key in ("headers", "params")),
)
_AUTHS: Final[tuple[tuple[str, ...], ...]] = (
    ("source", "api", "auth"),
    ("push", "to", "auth"),
    ("push", "to", "api", "auth"),
)
_ADVICE = "use ${env:NAME} and set the variable"

_URLS: Final[tuple[tuple[str, ...], ...]] = (
    ("push", "to", "url"),
    ("source", "api", "proxy"),
    ("push", "to", "proxy"),
    ("push", "to", "api", "proxy"),
)
_PASSWORDS: Final[tuple[tuple[str, ...], ...]] = (
    ("push", "to", "password"),
    ("source", "api", "tls", "password"),
    ("source", "webhook", "secret"),
    ("push", "to", "tls", "password"),
    ("push", "to", "s3", "secret_access_key"),
    ("push", "to", "s3", "session_token"),
    ("push", "to", "api", "tls", "password"),
)


def check(root: Node) -> Iterator[Mistake]:
    """Yield literals in secret fields (warnings), and references that mean nothing."""
    yield from _literals(root)
    for path, node in root.scalars():
        if isinstance(node.value, str) and not path.startswith("map."):
            yield from _reference_problems(path, node)


def _literals(root: Node) -> Iterator[Mistake]:
    for path, node in _secret_scalars(root):
        if isinstance(node.value, str) and node.value and not is_reference(node.value):
            words = f"a secret is written out in `{path}`: {_ADVICE}"
            yield Mistake.at(node.place, path, words, warning=True)
    for keys in _URLS:
        url = root.at(*keys)
        password = PASSWORD.search(str(url.value)) if url else None
        if url and password and not REFERENCE.search(password[2]):
            path = ".".join(keys)
            words = f"a password is written out in `{path}`: {_ADVICE}"
            yield Mistake.at(url.place, path, words, warning=True)


def _secret_scalars(root: Node) -> Iterator[tuple[str, Node]]:
    """Yield (path, node) of what holds a secret: by the authentication's own word, or by name."""
    for place in _AUTHS:
        if node := root.at(*place):
            for name in _held(node.plain()):
                if held := node.at(name):
                    yield from held.scalars(".".join((*place, name)))
    for keys in _PASSWORDS:
        if node := root.at(*keys):
            yield ".".join(keys), node
    for keys in _NAMED:
        parent = root.at(*keys)
        for name, entry in ((parent.entries if parent else None) or {}).items():
            if SENSITIVE_NAME.search(name):
                yield from entry.node.scalars(".".join((*keys, name)))


def _held(settings: Any) -> Iterable[str]:
    try:
        auth: Auth = TypeAdapter(AnyAuth).validate_python(settings)
    except ValidationError:
        return ()
    return auth.held_secrets()


def _reference_problems(path: str, node: Node) -> Iterator[Mistake]:
    for kind, name in references(node.value):
        if kind == "secret":
            if not is_block_name(name):
                hint = f"; for example `{proposed_name(name)}`" if proposed_name(name) else ""
                words = f"${{secret:NAME}} needs a Secret block's name (a-z, 0-9 and -){hint}"
                yield Mistake.at(node.place, path, words)
        elif not _VARIABLE.fullmatch(name):
            words = "${env:NAME} needs the name of an environment variable"
            yield Mistake.at(node.place, path, words)
    for match in _UNKNOWN.finditer(node.value):
        words = f"`{match[0]}` is sent as it stands; for a variable write ${{env:NAME}}"
        yield Mistake.at(node.place_of(match.start()), path, words, warning=True)
