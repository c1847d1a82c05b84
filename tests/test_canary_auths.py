"""A secret in every authentication, met by an API that repeats whatever it is sent."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.support.server import answer, serve
from tests.test_canary import forms

from astrio.blocks import auth
from astrio.blocks.auth.base import Auth
from astrio.blocks.settings import subclasses_in

SCRIPT = """
import asyncio, sys, traceback
from pathlib import Path
from astrio.flows.reading.read import read_integration
from astrio.flows.sync import sync

for name in sys.argv[1:]:
    try:
        asyncio.run(sync(read_integration(Path(name)).integration))
        print(name, "done")
    except Exception:
        print(name, "failed")
        traceback.print_exc()
"""
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
IN_CLEAR = ("api_key", "api_key_in_body", "bearer", "headers", "token_pool", "login")


def secret(name: str) -> str:
    return f"canary-{name}-S3cr3t/+=9"


def auths(url: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return each authentication with a secret of its own, taken from a variable."""
    own = {name: f"${{env:{variable(name)}}}" for name in KINDS}
    client = {"token_url": f"{url}/token", "client_id": "me"}
    return {
        "none": {"type": "none"},
        "api_key": {"type": "api_key", "query": "key", "value": own["api_key"]},
        "api_key_in_body": {"type": "api_key", "body": "k", "value": own["api_key_in_body"]},
        "bearer": {"type": "bearer", "token": own["bearer"]},
        "basic": {"type": "basic", "username": "ada", "password": own["basic"]},
        "digest": {"type": "digest", "username": "ada", "password": own["digest"]},
        "headers": {"type": "headers", "headers": {"X-Own": own["headers"]}},
        "hmac": {"type": "hmac", "secret": own["hmac"], "headers": {"X-Sign": "{{signature}}"}},
        "aws_sigv4": {
            "type": "aws_sigv4",
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": own["aws_sigv4"],
            "session_token": own["aws_sigv4"],
            "region": "eu-central-1",
            "service": "s3",
        },
        "mutual_tls": {
            "type": "mutual_tls",
            "certificate": str(folder / "client.pem"),
            "key": str(folder / "client.key"),
            "password": own["mutual_tls"],
        },
        "token_pool": {"type": "token_pool", "tokens": {"first": own["token_pool"]}},
        "login": {
            "type": "login",
            "url": f"{url}/token",
            "fields": {"user": "ada", "password": own["login"]},
            "token": "token",
        },
        "jwt": {"type": "jwt", "issuer": "me", "private_key": "${env:PEM}", **client_of(url)},
        **{
            kind: {"type": kind, **client, "client_secret": own[kind], **more}
            for kind, more in {
                "oauth2_client_credentials": {},
                "oauth2_refresh_token": {"refresh_token": own["oauth2_refresh_token"]},
                "oauth2_authorization_code": {"authorization_url": f"{url}/authorize"},
                "oauth2_device_code": {"device_authorization_url": f"{url}/device"},
            }.items()
        },
    }


def client_of(url: str) -> dict[str, str]:
    return {"token_url": f"{url}/token"}


KINDS = (
    "none", "api_key", "api_key_in_body", "bearer", "basic", "digest", "headers", "hmac",
    "aws_sigv4", "mutual_tls", "token_pool", "login", "jwt", "oauth2_client_credentials",
    "oauth2_refresh_token", "oauth2_authorization_code", "oauth2_device_code",
)  # fmt: skip
PEM_SIGN = PEM.splitlines()[5].encode()
SIGNS = {sign for name in KINDS for sign in forms(secret(name))} | {PEM_SIGN}


def variable(name: str) -> str:
    return f"CANARY_{name.upper()}"


async def echo(request: web.Request) -> Any:
    """Refuse everything, and repeat whatever was sent."""
    body = await request.text()
    told = f"{request.headers.get('authorization')} {dict(request.headers)} {request.url} {body}"
    headers = {"WWW-Authenticate": 'Digest realm="shop", nonce="n", algorithm=SHA-256, qop="auth"'}
    return answer({"error": "refused", "error_description": told, "message": told}, 401, headers)


def make_certificate(folder: Path) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )
    (folder / "client.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    locked = serialization.BestAvailableEncryption(secret("mutual_tls").encode())
    key = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    (folder / "client.key").write_bytes(key)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> tuple[Path, str, str]:
    """Run an integration with each authentication; return the folder, the output, what was sent."""
    folder = tmp_path_factory.mktemp("auths")
    make_certificate(folder)
    environment = {
        **os.environ,
        **{variable(name): secret(name) for name in KINDS},
        "PEM": PEM,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "ASTRIO_HOME": str(folder / "home"),
        "PREFECT_API_URL": prefect_api,
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }
    with serve(echo) as server:
        for name, settings in auths(server.url, folder).items():
            document = {
                "name": name,
                "source": {
                    "api": {"base_url": server.url, "auth": settings},
                    "request": {"method": "POST", "path": "/orders", "body": {}},
                },
                "push": {"to": {"url": f"sqlite:///{folder / name}.db"}, "table": "t"},
                "retry": {"max_retries": 0},
            }
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT, *(f"{name}.yaml" for name in KINDS)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        sent = " ".join(f"{each.headers} {each.query} {each.body!r}" for each in server.requests)
    return folder, ended.stdout + ended.stderr, sent


def test_every_authentication_is_here_and_fails(scene: tuple[Path, str, str]) -> None:
    folder, told, sent = scene
    known = {str(each.model_fields["type"].default) for each in subclasses_in(auth, Auth)}
    assert known == {each["type"] for each in auths("http://a", folder).values()}
    for name in KINDS:
        assert f"{name}.yaml failed" in told, told[-3000:]
    carried = " ".join(sent.split())
    assert [name for name in IN_CLEAR if f"canary-{name}" not in carried] == []


def test_no_log_and_no_exception_shows_a_secret(scene: tuple[Path, str, str]) -> None:
    said = scene[1].encode()
    assert [sign for sign in SIGNS if sign in said] == []


def test_no_file_of_astrio_or_prefect_holds_one_in_clear(scene: tuple[Path, str, str]) -> None:
    places = (scene[0], Path(os.environ["ASTRIO_HOME"]))
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.name == "prefect.db" for path in files)
    assert any(path.name == "ledger.db" for path in files)
    for path in files:
        content = path.read_bytes()
        assert [(path.name, sign) for sign in SIGNS if sign in content] == []
