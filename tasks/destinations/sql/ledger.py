"""The ledger as a SQL database: the state of streams whose records go to none."""

from __future__ import annotations

import os

from sqlalchemy import URL, make_url

from astrio.blocks.secrets import resolve
from astrio.tasks.ledger.home import astrio_home
from astrio.tasks.ledger.opening import SCHEMA


def ledger_url() -> str:
    """Return the URL of the ledger as a SQL database, its schema the only one that is seen.

    Raises:
        ConfigurationError: ASTRIO_LEDGER_URL is no URL.
    """
    elsewhere = os.environ.get("ASTRIO_LEDGER_URL")
    here = URL.create("sqlite", database=str(astrio_home() / "ledger.db"))
    url = make_url(resolve(elsewhere)) if elsewhere else here
    if url.get_backend_name() == "postgresql":
        own = str(url.query.get("options", ""))
        url = url.update_query_dict({"options": f"{own} -csearch_path={SCHEMA}".strip()})
    return url.render_as_string(hide_password=False)
