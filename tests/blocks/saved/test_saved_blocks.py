"""Every connection and authentication as a Prefect block, on a real Prefect server."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

import pytest
from tests.contracts.block import SECRET, BlockContract
from tests.support.blocks import made

from astrio.blocks.api import RestApi
from astrio.blocks.auth.api_key import ApiKeyAuth
from astrio.blocks.auth.aws_sigv4 import AwsSigV4Auth
from astrio.blocks.auth.basic import BasicAuth
from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.auth.digest import DigestAuth
from astrio.blocks.auth.headers import HeadersAuth
from astrio.blocks.auth.hmac import HmacAuth
from astrio.blocks.auth.jwt import JwtAuth
from astrio.blocks.auth.login import LoginAuth
from astrio.blocks.auth.mutual_tls import MutualTlsAuth
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.auth.oauth2_authorization_code import AuthorizationCodeAuth
from astrio.blocks.auth.oauth2_client_credentials import ClientCredentialsAuth
from astrio.blocks.auth.oauth2_device_code import DeviceCodeAuth
from astrio.blocks.auth.oauth2_refresh_token import RefreshTokenAuth
from astrio.blocks.auth.token_pool import TokenPoolAuth
from astrio.blocks.database import Database
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.store import reader
from astrio.blocks.store.kinds import CONNECTIONS, authentications
from astrio.blocks.webhooks.source import WebhookSource
from astrio.blocks.webhooks.target import WebhookTarget

CLIENT: dict[str, Any] = {
    "token_url": "https://login.example.com/token",
    "client_id": "shop",
    "client_secret": SECRET,
}


class TestBearer(BlockContract):
    model: ClassVar = BearerAuth
    data: ClassVar = {"token": SECRET}

    def expected(self) -> BearerAuth:
        return BearerAuth(token=SECRET)


class TestApiKey(BlockContract):
    model: ClassVar = ApiKeyAuth
    data: ClassVar = {"header": "X-Key", "value": SECRET}

    def expected(self) -> ApiKeyAuth:
        return ApiKeyAuth(header="X-Key", value=SECRET)


@pytest.mark.slow
class TestApiKeyInTheBody(BlockContract):
    model: ClassVar = ApiKeyAuth
    data: ClassVar = {"body": "auth.key", "value": SECRET}

    def expected(self) -> ApiKeyAuth:
        return ApiKeyAuth(body="auth.key", value=SECRET)


@pytest.mark.slow
class TestDigest(BlockContract):
    model: ClassVar = DigestAuth
    data: ClassVar = {"username": "ann", "password": SECRET}

    def expected(self) -> DigestAuth:
        return DigestAuth(username="ann", password=SECRET)


@pytest.mark.slow
class TestHmac(BlockContract):
    model: ClassVar = HmacAuth
    data: ClassVar = {"secret": SECRET, "key_id": "k1", "headers": {"X-Sign": "{{signature}}"}}

    def expected(self) -> HmacAuth:
        return HmacAuth.model_validate(self.data)


@pytest.mark.slow
class TestAwsSigV4(BlockContract):
    model: ClassVar = AwsSigV4Auth
    data: ClassVar = {
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": SECRET,
        "session_token": SECRET,
        "region": "eu-central-1",
        "service": "s3",
    }

    def expected(self) -> AwsSigV4Auth:
        return AwsSigV4Auth(**self.data)


@pytest.mark.slow
class TestMutualTls(BlockContract):
    model: ClassVar = MutualTlsAuth
    data: ClassVar = {"certificate": "client.pem", "key": "client.key", "password": SECRET}

    def expected(self) -> MutualTlsAuth:
        return MutualTlsAuth(**self.data)


@pytest.mark.slow
class TestBasic(BlockContract):
    model: ClassVar = BasicAuth
    data: ClassVar = {"username": "ann", "password": SECRET}

    def expected(self) -> BasicAuth:
        return BasicAuth(username="ann", password=SECRET)


@pytest.mark.slow
class TestHeaders(BlockContract):
    model: ClassVar = HeadersAuth
    data: ClassVar = {"headers": {"X-Key": SECRET}}

    def expected(self) -> HeadersAuth:
        return HeadersAuth(headers={"X-Key": SECRET})


class TestClientCredentials(BlockContract):
    model: ClassVar = ClientCredentialsAuth
    data: ClassVar = {**CLIENT}

    def expected(self) -> ClientCredentialsAuth:
        return ClientCredentialsAuth.model_validate(self.data)


@pytest.mark.slow
class TestRefreshToken(BlockContract):
    model: ClassVar = RefreshTokenAuth
    data: ClassVar = {**CLIENT, "refresh_token": SECRET}

    def expected(self) -> RefreshTokenAuth:
        return RefreshTokenAuth.model_validate(self.data)


@pytest.mark.slow
class TestAuthorizationCode(BlockContract):
    model: ClassVar = AuthorizationCodeAuth
    data: ClassVar = {**CLIENT, "authorization_url": "https://login.example.com/authorize"}

    def expected(self) -> AuthorizationCodeAuth:
        return AuthorizationCodeAuth.model_validate(self.data)


@pytest.mark.slow
class TestDeviceCode(BlockContract):
    model: ClassVar = DeviceCodeAuth
    data: ClassVar = {**CLIENT, "device_authorization_url": "https://login.example.com/device"}

    def expected(self) -> DeviceCodeAuth:
        return DeviceCodeAuth.model_validate(self.data)


@pytest.mark.slow
class TestLogin(BlockContract):
    model: ClassVar = LoginAuth
    data: ClassVar = {
        "url": "https://api.example.com/login",
        "fields": {"user": "ada", "password": SECRET},
        "token": "data.token",
    }

    def expected(self) -> LoginAuth:
        return LoginAuth.model_validate(self.data)


@pytest.mark.slow
class TestTokenPool(BlockContract):
    model: ClassVar = TokenPoolAuth
    data: ClassVar = {"tokens": {"first": SECRET}}

    def expected(self) -> TokenPoolAuth:
        return TokenPoolAuth.model_validate(self.data)


@pytest.mark.slow
class TestJwt(BlockContract):
    model: ClassVar = JwtAuth
    data: ClassVar = {"issuer": "shop", "private_key": SECRET}

    def expected(self) -> JwtAuth:
        return JwtAuth.model_validate(self.data)


@pytest.mark.slow
class TestNone(BlockContract):
    model: ClassVar = NoAuth
    data: ClassVar = {}

    def expected(self) -> NoAuth:
        return NoAuth()


class TestDatabase(BlockContract):
    model: ClassVar = Database
    data: ClassVar = {"url": f"postgresql://ann:{SECRET}@db.example.com/shop", "password": SECRET}

    def expected(self) -> Database:
        return Database(**self.data)


class TestRestApi(BlockContract):
    model: ClassVar = RestApi

    @property
    def data(self) -> dict[str, Any]:  # type: ignore[override] # it needs a server
        auth = made(BearerAuth, token=SECRET)
        auth.save(f"token-{uuid4().hex[:12]}")
        return {
            "base_url": "https://shop.example.com",
            "auth": auth,
            "headers": {"X-Shop-Token": SECRET},
            "timeout": 5,
            "concurrency": 3,
            "allow_hosts": "a.example.com, b.example.com",
        }

    def expected(self) -> RestApi:
        return RestApi.model_validate(
            {
                "base_url": "https://shop.example.com",
                "auth": {"type": "bearer", "token": SECRET},
                "headers": {"X-Shop-Token": SECRET},
                "timeout": 5.0,
                "limits": {"concurrency": 3},
                "allow_hosts": ["a.example.com", "b.example.com"],
            }
        )

    @pytest.mark.skip(reason="a REST API without `auth` is told in its own words, see below")
    def test_a_form_that_was_left_empty_is_told_field_by_field(self, name: str) -> None: ...

    def test_an_authentication_that_was_deleted_is_not_read_as_none(self, name: str) -> None:
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            api = client.read_block_document_by_name(name, RestApi.slug())
            nested = api.block_document_references["auth"]["block_document"]
            client.delete_block_document(nested["id"])
        reader.forget()
        with pytest.raises(ConfigurationError, match="has no `auth`") as caught:
            reader.rest_api(name)
        assert f"astrio connections add {name} rest_api --replace auth=" in caught.value.advice


class TestWebhookSource(BlockContract):
    model: ClassVar = WebhookSource
    data: ClassVar = {
        "scheme": '{"type": "hmac", "header": "X-Sig"}',
        "secret": f"{SECRET}\n${{env:OLD}}",
        "allow": "127.0.0.1/32, 10.0.0.0/8",
        "rate": "100/s",
    }

    def expected(self) -> WebhookSource:
        return WebhookSource.model_validate(
            {
                "scheme": {"type": "hmac", "header": "X-Sig"},
                "secret": [SECRET, "${env:OLD}"],
                "allow": ["127.0.0.1/32", "10.0.0.0/8"],
                "rate": "100/s",
            }
        )


class TestWebhookTarget(BlockContract):
    model: ClassVar = WebhookTarget
    data: ClassVar = {
        "url": "https://example.com/hooks",
        "secret": SECRET,
        "headers": {"X-Token": SECRET},
        "delays": "0, 5.5",
    }

    def expected(self) -> WebhookTarget:
        return WebhookTarget.model_validate(
            {
                "url": "https://example.com/hooks",
                "secret": SECRET,
                "headers": {"X-Token": SECRET},
                "retry": {"delays": [0, 5.5]},
            }
        )


def test_the_entry_point_names_the_module_that_holds_every_block() -> None:
    from importlib.metadata import entry_points

    from astrio.blocks.saved import classes

    names = {each.__name__ for each in classes.ALL}
    assert len(names) == len(authentications()) + len(CONNECTIONS)
    assert {"RestApiBlock", "DatabaseBlock", "BearerToken", "APIKey"} <= names
    assert all(hasattr(classes, name) for name in names)
    found = [each.value for each in entry_points(group="prefect.collections", name="astrio")]
    assert found in ([], ["astrio.blocks.saved.classes"])  # a checkout may not be installed
