"""Trying a saved connection out: does it let us in?"""

from __future__ import annotations

from astrio.blocks.api import RestApi
from astrio.blocks.auth.base import Auth
from astrio.blocks.database import Database
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store import reader
from astrio.blocks.store.document import Document
from astrio.blocks.webhooks.holding import HoldsSecrets
from astrio.tasks.destinations.settings import SqlTarget
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings


async def try_out(document: Document, path: str) -> str:
    """Use what is saved and return what happened, in a sentence.

    Args:
        document: what is saved.
        path: of an API: what is asked for, below its base URL.

    Raises:
        AstrioError: it is half filled, a variable is not set, the credentials are refused, or
            nothing answers.
    """
    if document.slug == "secret":
        reader.secret(document.name)
        return "it holds a value"
    plain = document.plain()
    if isinstance(plain, RestApi):
        return await _ask(plain, path)
    if isinstance(plain, Database):
        return _connect(plain, document.name)
    if isinstance(plain, HoldsSecrets):
        return _read_secrets(plain)
    assert isinstance(plain, Auth)
    plain.to_httpx_auth()
    return "its secrets can be resolved; whether an API takes them, the API's own test tells"


def _read_secrets(webhook: HoldsSecrets) -> str:
    many = len(webhook.resolved_secrets())
    if webhook.signing is None:
        return "it has no secret, so its deliveries are not signed"
    scheme = webhook.signing.kind()
    if not webhook.signing.needs_secret:
        return f"the scheme `{scheme}` needs no secret"
    return f"its {'secret fits' if many == 1 else 'secrets fit'} the scheme `{scheme}`"


async def _ask(api: RestApi, path: str) -> str:
    if "{{" in api.base_url:
        raise ConfigurationError(
            f"The base URL {api.base_url} is filled in from an integration's `vars`.",
            advice="Test an integration that uses it: astrio test FILE.",
        )
    async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
        try:
            answer = await client.send(ApiRequest("GET", path))
        except RefusedError as error:
            if error.status == 404 and not path:
                return "it answers (404: nothing at the base URL itself; name a --path)"
            raise
    return f"it answers ({answer.status})"


def _connect(database: Database, name: str) -> str:
    from sqlalchemy import text

    from astrio.tasks.destinations.sql.database import Database as SqlDatabase

    opened = SqlDatabase.of(SqlTarget.saved(database, name))
    if not opened.exists():
        return f"{opened.reference} is not there yet; the first run creates it"
    with opened.reading() as connection:
        connection.execute(text("SELECT 1"))
    return f"{opened.reference} lets us in"
