"""The key with which a Prefect server that astrio starts encrypts saved blocks.

It lies in a file of its own, not beside the data: without a key in its environment, Prefect keeps
one in the very database that it is to protect.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from astrio.tasks.ledger.sealing import write_once

VARIABLE = "PREFECT_SERVER_ENCRYPTION_KEY"
_ELSEWHERE = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")


def encryption_key(home: Path, environment: Mapping[str, str]) -> str | None:
    """Return the key for a server on the database in `home`, made if there is none yet.

    None: the user has set a key, or another database, and so decides about the key as well.
    """
    if environment.get(VARIABLE) or any(environment.get(name) for name in _ELSEWHERE):
        return None
    file = home / "key"
    if not file.exists():
        write_once(file, _key_in_database(home / "prefect" / "prefect.db") or _new_key())
    return file.read_text("ascii").strip()


def _new_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _key_in_database(database: Path) -> str | None:
    """Return the key that Prefect made itself, with which blocks may be encrypted already."""
    if not database.exists():
        return None
    query = "SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'"
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(query).fetchone()
            return str(json.loads(row[0])["fernet_key"]) if row else None
    except sqlite3.OperationalError:  # its tables are not there yet
        return None
