from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from tests.support.provider import DROP, SECRET, Provider, provider
from tests.support.server import serve, serve_raw, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.errors import ApiUnavailableError, CredentialsError
from astrio.blocks.tokens import NeedsAuthorisationError
from astrio.tasks.http.client import Answer, ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.settings import RetrySettings


@pytest.fixture(autouse=True)
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASTRIO_LEDGER_URL", raising=False)


def connection(server: Provider, **auth: Any) -> RestApi:
    settings = {
        "type": "oauth2_client_credentials",
        "token_url": f"{server.url}/token",
        "client_id": "me",
        "client_secret": SECRET,
        **auth,
    }
    return RestApi.model_validate({"base_url": server.url, "auth": settings})


def refreshing(server: Provider, **auth: Any) -> RestApi:
    token = server.first_refresh_token()
    return connection(server, type="oauth2_refresh_token", refresh_token=token, **auth)


async def ask(api: RestApi, times: int = 1) -> Answer:
    async with ApiClient(api, retry=RetrySettings(max_retries=0)) as client:
        answers = [await client.send(ApiRequest("GET", "/orders")) for _ in range(times)]
    return answers[-1]


class TestHavingAToken:
    async def test_one_token_serves_all_requests_and_all_runs(self) -> None:
        with provider() as server:
            api = connection(server)
            assert (await ask(api, 3)).status == 200
            assert (await ask(api, 2)).status == 200
            assert server.granted == ["client_credentials"]

    async def test_many_at_once_have_one_token(self) -> None:
        with provider() as server:
            api = connection(server)
            await asyncio.gather(*(ask(api) for _ in range(8)))
            assert server.granted == ["client_credentials"]

    async def test_another_secret_is_another_credential(self) -> None:
        with provider() as server:
            await ask(connection(server))
            with pytest.raises(CredentialsError, match="invalid_client"):
                await ask(connection(server, client_secret="another-secret"))

    async def test_scopes_and_parameters_are_asked_for(self) -> None:
        with provider() as server:
            await ask(connection(server, scopes=["read", "write"], params={"audience": "shop"}))
            asked = server.asked[0]
        assert (asked["scope"], asked["audience"]) == ("read write", "shop")

    async def test_the_client_proves_itself_in_the_header_or_in_the_body(self) -> None:
        with provider() as server:
            await ask(connection(server))
            await ask(connection(server, client_auth="post", scopes=["a"]))
            header, body = server.asked
        assert header["authorization"].startswith("Basic ")
        assert "client_secret" not in header
        assert (body["authorization"], body["client_secret"]) == ("", SECRET)


class TestRenewing:
    async def test_a_lapsed_token_is_renewed_before_it_is_used(self) -> None:
        with provider(life=0.001) as server:
            api = refreshing(server)
            with pytest.raises(CredentialsError):
                await ask(api)  # even the new token has lapsed by then
            assert set(server.granted) == {"refresh_token"}
            assert not server.refused

    async def test_a_refused_token_is_renewed_once_and_the_request_repeated(self) -> None:
        with provider() as server:
            api = refreshing(server)
            await ask(api)
            server.revoke()
            assert (await ask(api)).status == 200
            assert server.granted == ["refresh_token"] * 2

    async def test_a_token_that_stays_refused_is_not_renewed_for_ever(self) -> None:
        with provider(life=-1) as server:
            api = connection(server)
            with pytest.raises(CredentialsError, match="401"):
                await ask(api)
            assert len(server.granted) == 2

    async def test_a_refresh_token_that_is_not_renewed_is_kept(self) -> None:
        with provider(rotates=False) as server:
            api = refreshing(server)
            for _ in range(3):
                await ask(api)
                server.revoke()
            assert len(server.granted) == 3
            assert not server.refused

    async def test_a_configured_status_renews_too(self) -> None:
        with provider() as server:
            answers = iter([403, 200])

            def guarded(_: Any) -> Any:
                return httpx_status(next(answers))

            with serve(guarded) as guard:
                api = connection(server, refresh_on_status=[401, 403])
                answer = await ask(api.model_copy(update={"base_url": guard.url}))
            assert answer.status == 200
            assert len(server.granted) == 2

    async def test_a_complaint_inside_a_200_renews_too(self) -> None:
        with provider() as server:
            bodies = iter([{"ok": False, "error": "token_expired"}, {"ok": True}])
            with serve(lambda _: next(bodies)) as guard:
                api = connection(server, refresh_when="error == 'token_expired'")
                answer = await ask(api.model_copy(update={"base_url": guard.url}))
            assert answer.content == b'{"ok": true}'
            assert len(server.granted) == 2

    @pytest.mark.parametrize("body", [b"no JSON", b'"' + b"x" * 70_000 + b'"', b"[1]"])
    async def test_a_body_that_says_nothing_of_the_kind_renews_nothing(self, body: bytes) -> None:
        with provider() as server, serve(lambda _: body) as guard:
            api = connection(server, refresh_when="error == 'token_expired'")
            answer = await ask(api.model_copy(update={"base_url": guard.url}))
            assert answer.content == body
            assert len(server.granted) == 1


class TestFaultsOfTheTokenEndpoint:
    async def test_a_server_error_passes_and_the_grant_stays(self) -> None:
        with provider() as server:
            api = refreshing(server)
            server.faults = [500, 503]
            assert (await ask(api)).status == 200
            assert not server.refused

    async def test_a_lasting_server_error_is_no_matter_of_credentials(self) -> None:
        with provider() as server:
            api = refreshing(server)
            server.faults = [500] * 4
            with pytest.raises(ApiUnavailableError, match="500"):
                await ask(api)
            assert (await ask(api)).status == 200

    async def test_an_endpoint_that_cannot_be_reached_is_told(self) -> None:
        with provider() as server:
            api = connection(server, token_url=unused_url())
            with pytest.raises(ApiUnavailableError, match="cannot be reached"):
                await ask(api)

    async def test_a_lost_answer_to_a_rotating_refresh_needs_an_authorisation(self) -> None:
        with provider() as server:
            api = refreshing(server)
            await ask(api)
            server.revoke()
            server.faults = [DROP]
            for _ in range(2):
                with pytest.raises(NeedsAuthorisationError, match="was lost"):
                    await ask(api)
            assert not server.refused  # the old refresh token was not tried again

    async def test_a_lost_answer_is_asked_for_again_where_tokens_do_not_rotate(self) -> None:
        with provider(rotates=False) as server:
            api = refreshing(server, rotating="never")
            server.faults = [DROP]
            assert (await ask(api)).status == 200

    async def test_a_refused_grant_needs_an_authorisation_and_never_loops(self) -> None:
        with provider() as server:
            api = connection(server, type="oauth2_refresh_token", refresh_token="unknown-token")
            for _ in range(3):
                with pytest.raises(NeedsAuthorisationError, match="invalid_grant"):
                    await ask(api)
            assert server.refused == ["invalid_grant"]

    async def test_an_answer_that_is_no_token_is_told(self) -> None:
        page = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html"
        with serve_raw(page) as server, provider() as other:
            api = connection(other, token_url=f"{server.url}/token")
            with pytest.raises(Exception, match="gave no token"):
                await ask(api)


def httpx_status(status: int) -> Any:
    from tests.support.server import answer

    return answer({"ok": httpx.codes(status).name}, status)
