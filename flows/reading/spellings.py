"""Forms of the product page that mean the same as the canonical ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic.alias_generators import to_snake

from astrio.flows.reading.node import Entry, Node

_TYPES = (
    # (keys, any of which tells the type; the type), the most telling first
    ({"authorization_url"}, "oauth2_authorization_code"),
    ({"refresh_token"}, "oauth2_refresh_token"),
    ({"token_url", "client_id"}, "oauth2_client_credentials"),
    ({"username", "password"}, "basic"),
    ({"token"}, "bearer"),
    ({"header", "query", "cookie", "body", "value"}, "api_key"),
    ({"headers"}, "headers"),
)


def canonical(root: Node) -> Node:
    """Return the file with the type of each `auth` told, where its keys tell it.

    `$schema`, which tells editors where the schema is, is left out.
    """
    entries = {key: entry for key, entry in (root.entries or {}).items() if key != "$schema"}
    root = replace(root, entries=entries)
    for keys in (("source", "api", "auth"), ("push", "to", "auth"), ("push", "to", "api", "auth")):
        root = _changed(root, keys)
    return root


def _changed(node: Node, keys: tuple[str, ...]) -> Node:
    """Return a copy of the tree in which the authentication below `keys` has its type."""
    if not keys:
        return _with_type(node)
    entry = node.entry(keys[0])
    if entry is None:
        return node
    new = Entry(entry.place, _changed(entry.node, keys[1:]))
    entries = node.entries or {}
    return replace(node, entries={k: new if v is entry else v for k, v in entries.items()})


def _with_type(auth: Node) -> Node:
    """Tell the type by the keys; an object of headers becomes `{type: headers, headers: …}`."""
    if not auth.entries or "type" in auth.entries:
        return auth
    keys = {to_snake(key) for key in auth.entries}
    for telling, name in _TYPES:
        if keys & telling:
            return _typed(auth, name, auth.entries)
    if all("-" in key or key.lower() in ("authorization", "cookie") for key in auth.entries):
        return _typed(auth, "headers", {"headers": Entry(auth.place, auth)})
    return auth


def _typed(auth: Node, name: str, entries: Mapping[str, Entry]) -> Node:
    tag = Entry(auth.place, Node(auth.place, name))
    return replace(auth, entries={"type": tag, **entries})
