"""Authorising a saved connection: its owner agrees in a browser, here or elsewhere."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from astrio.blocks.api import RestApi
from astrio.blocks.auth.oauth2_authorization_code import AuthorizationCodeAuth
from astrio.blocks.auth.oauth2_device_code import DeviceCodeAuth
from astrio.blocks.errors import ConfigurationError, CredentialsError
from astrio.blocks.store.document import Document
from astrio.deployments.connections.callback import is_here, listening
from astrio.tasks.tokens.consent import Agreed, Consent, DevicePrompt, agree_by_device


@dataclass(frozen=True, slots=True)
class Talk:
    """How the owner is talked to.

    Attributes:
        say: shows a line.
        ask: asks for the address that the browser was led to.
        paste: no browser on this machine can be led back.
        browser: whether to open one.
        patience: seconds to wait for the answer.
    """

    say: Callable[[str], None]
    ask: Callable[[str], str]
    paste: bool = False
    browser: bool = True
    patience: float = 600.0


async def authorize(document: Document, talk: Talk) -> Agreed:
    """Let the owner agree, keep what was granted, and let paused deployments go on.

    Raises:
        ConfigurationError: what is saved needs no consent.
        CredentialsError: it was refused, or nobody answered in time.
    """
    plain = document.plain()
    api = plain if isinstance(plain, RestApi) else RestApi(base_url="https://localhost")
    auth = plain.auth if isinstance(plain, RestApi) else plain
    if isinstance(auth, AuthorizationCodeAuth):
        agreed = await _by_browser(api, auth, talk)
    elif isinstance(auth, DeviceCodeAuth):
        agreed = await agree_by_device(api, auth, lambda prompt: _show(prompt, talk))
    else:
        raise ConfigurationError(
            f"`{document.name}` needs nobody's consent.",
            advice="Only oauth2_authorization_code and oauth2_device_code do.",
        )
    await _resume(agreed.paused)
    return agreed


async def _by_browser(api: RestApi, auth: AuthorizationCodeAuth, talk: Talk) -> Agreed:
    if talk.paste or not is_here(auth.redirect_uri):
        consent = Consent(api, auth, auth.redirect_uri or "http://127.0.0.1/callback")
        talk.say(f"Open this page, agree, and copy the address that it leads to:\n{consent.url}")
        return await consent.finish(await asyncio.to_thread(talk.ask, "The address"))
    async with listening(auth.redirect_uri) as callback:
        consent = Consent(api, auth, callback.redirect_uri)
        talk.say(f"Open this page and agree:\n{consent.url}")
        if talk.browser:
            await asyncio.to_thread(webbrowser.open, consent.url)
        try:
            async with asyncio.timeout(talk.patience):
                answered = await callback.answered
        except TimeoutError:
            raise CredentialsError(
                "Nobody has agreed in time.", advice="Run the command again."
            ) from None
        return await consent.finish(answered)


def _show(prompt: DevicePrompt, talk: Talk) -> None:
    talk.say(f"Enter the code {prompt.code} at {prompt.url}")
    if prompt.complete_url:
        talk.say(f"or open {prompt.complete_url}")


async def _resume(deployments: tuple[str, ...]) -> None:
    if not deployments:
        return
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        for deployment in deployments:
            try:
                await client.resume_deployment(UUID(deployment))
            except ObjectNotFound:
                continue  # it was deleted meanwhile
