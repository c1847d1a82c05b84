"""Each action of the product page, as written, against a fake with the vendor's rules."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.support.server import Seen, answer, serve
from tests.tasks.actions.page import CLOUDINARY, PAGE, S3, aimed

from astrio.blocks.errors import CredentialsError
from astrio.flows.reading.read import read_action
from astrio.tasks.actions.calling import Called, call
from astrio.tasks.http.advice import RefusedError

RECORD = {
    "user": {"id": 7, "name": "Ada <b>", "email": "ada@example.com"},
    "order": {"id": 12, "total": 99.5},
    "file": {"name": "a b/c.txt", "type": "text/csv", "data": "id,name\n1,ü"},
}


async def slack(request: web.Request) -> Any:
    body = await request.json()
    kind = request.content_type == "application/json"
    return answer("ok") if kind and body["text"] else answer("invalid_payload", 400)


async def discord(request: web.Request) -> Any:
    body = await request.json()
    colours = [type(each["color"]) for each in body["embeds"]]
    good = 0 < len(body["content"]) <= 2000 and colours == [int]
    return web.Response(status=204) if good else answer({"message": "Invalid Form Body"}, 400)


async def sendgrid(request: web.Request) -> Any:
    if not request.headers["Authorization"].startswith("Bearer "):
        return answer({"errors": [{"message": "authorization required"}]}, 401)
    body = await request.json()
    good = body["personalizations"][0]["to"] and body["from"]["email"] and body["subject"]
    return web.Response(status=202) if good else answer({"errors": [{"message": "bad"}]}, 400)


async def google(_: web.Request) -> Any:
    return web.Response(body=b"GIF89a", content_type="image/gif")


async def mixpanel(request: web.Request) -> Any:
    body = await request.json()
    return answer("1" if body["properties"].get("token") else "0")


async def s3(request: web.Request) -> Any:
    signed = "Signature=" in request.headers["Authorization"]
    if signed and request.headers["x-amz-content-sha256"] and request.headers["x-amz-date"]:
        return web.Response(status=200)
    code = "<Error><Code>AuthorizationHeaderMalformed</Code></Error>"
    return web.Response(status=400, text=code, content_type="application/xml")


async def cloudinary(request: web.Request) -> Any:
    is_json = request.content_type == "application/json"
    fields = await request.json() if is_json else parts(await request.read())
    basic = "Basic " + base64.b64encode(b"key:secret-of-the-cloud").decode()
    if request.headers.get("Authorization") == basic or fields.get("upload_preset"):
        return {"public_id": fields["public_id"]}
    told = {"error": {"message": "Upload preset must be specified when using unsigned upload"}}
    return answer(told, 400)


def parts(body: bytes) -> dict[str, str]:
    """Return the fields of a multipart body."""
    return dict(re.findall(r'name="(\w+)"\r\n\r\n(.*?)\r\n', body.decode(), re.DOTALL))


VENDORS = {
    "slack": slack,
    "discord": discord,
    "sendgrid": sendgrid,
    "google": google,
    "mixpanel": mixpanel,
    "s3": s3,
    "cloudinary": cloudinary,
}


async def sent(vendor: str, text: str, folder: Path) -> tuple[Called, Seen]:
    """Send the record as a snippet says; return the answer, and the request that arrived."""
    with serve(VENDORS[vendor]) as server:
        file = folder / f"{vendor}.yaml"
        file.write_text(aimed(text, server.url), "utf-8")
        called = await call(read_action(file).action, RECORD)
        [request] = server.requests
        return called, request


@pytest.mark.parametrize(
    ("vendor", "status", "body"),
    [
        ("slack", 200, {"text": "New user registered: Ada <b>", "channel": "#notifications"}),
        (
            "discord",
            204,
            {
                "content": "New order received: $99.5",
                "embeds": [
                    {"title": "Order Details", "description": "Order #12", "color": 0x00FF00}
                ],
            },
        ),
        (
            "sendgrid",
            202,
            {
                "personalizations": [{"to": [{"email": "ada@example.com"}]}],
                "from": {"email": "noreply@yourdomain.com"},
                "subject": "Welcome to our platform!",
                "content": [{"type": "text/html", "value": "Welcome Ada <b>!"}],
            },
        ),
    ],
)
async def test_a_snippet_is_sent_as_written(
    vendor: str, status: int, body: Any, tmp_path: Path
) -> None:
    called, request = await sent(vendor, PAGE[vendor], tmp_path)
    assert called.status == status
    assert request.method == "POST"
    assert request.json() == body


async def test_the_analytics_snippets_keep_the_kinds_of_values(tmp_path: Path) -> None:
    _, request = await sent("google", PAGE["google"], tmp_path)
    assert request.json()["cid"] == 7
    _, request = await sent("mixpanel", PAGE["mixpanel"], tmp_path)
    properties = request.json()["properties"]
    assert properties["distinct_id"] == 7
    assert properties["time"].endswith("+00:00")


async def test_a_fixed_signature_for_s3_is_refused_as_aws_does(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="400"):
        await sent("s3", S3, tmp_path)


async def test_an_object_of_s3_is_signed_and_arrives_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET", "a-secret-access-key")
    lines = [line for line in S3.splitlines() if "Authorization" not in line]
    auth = "auth: {type: aws_sigv4, access_key_id: AKIAEXAMPLE, region: eu-central-1, service: s3,"
    lines.insert(1, auth + ' secretAccessKey: "${env:AWS_SECRET}"},')
    called, request = await sent("s3", "\n".join(lines), tmp_path)
    assert called.status == 200
    assert request.target == "/a%20b%2Fc.txt"
    assert request.headers["Content-Type"] == "text/csv"
    assert request.body == "id,name\n1,ü".encode()


async def test_an_upload_without_preset_or_signature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Upload preset must be specified"):
        await sent("cloudinary", CLOUDINARY, tmp_path)


async def test_an_upload_with_the_clouds_key_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_SECRET", "secret-of-the-cloud")
    auth = 'auth: {username: key, password: "${env:CLOUD_SECRET}"},\nmultipart:'
    called, request = await sent("cloudinary", CLOUDINARY.replace("body :", auth), tmp_path)
    assert called.json() == {"public_id": "a b/c.txt"}
    assert b'name="folder"\r\n\r\nusers/7\r\n' in request.body


async def test_a_wrong_key_is_told_with_what_the_vendor_says(tmp_path: Path) -> None:
    text = PAGE["sendgrid"].replace("'Bearer YOUR_API_KEY'", "'Basic YOUR_API_KEY'")
    with pytest.raises(CredentialsError, match="authorization required") as caught:
        await sent("sendgrid", text, tmp_path)
    assert "YOUR_API_KEY" not in json.dumps([caught.value.message, caught.value.request])
