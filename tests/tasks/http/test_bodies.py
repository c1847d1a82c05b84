from __future__ import annotations

import email
import json
from email.message import Message
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.reading import send
from tests.support.server import RESET, Seen, answer, replies, serve, serve_raw

from astrio.blocks.errors import ApiUnavailableError, ConfigurationError
from astrio.tasks.http.first import build_first_request
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.incremental import Window
from astrio.tasks.settings import RequestSettings


def made(settings: dict[str, Any], **variables: Any) -> ApiRequest:
    """Make the first request of `source.request`, as a stored resume point gives it back."""
    whole = {"method": "POST", "path": "/things", **settings}
    request = build_first_request(RequestSettings.model_validate(whole), variables, Window(), None)
    return ApiRequest.from_json(json.loads(json.dumps(request.to_json())))


async def seen(settings: dict[str, Any], **variables: Any) -> Seen:
    """Send a body, and return the request that arrived."""
    with serve(lambda _: {}) as server:
        await send(server.url, made(settings, **variables))
    return server.requests[0]


def parts(arrived: Seen) -> dict[str, Message]:
    """Read a multipart body with the standard library's own parser."""
    head = f"Content-Type: {arrived.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + arrived.body, policy=HTTP)
    return {str(part.get_param("name", header="content-disposition")): part
            for part in message.iter_parts()}  # fmt: skip


async def test_xml_is_sent_as_it_is_with_what_is_filled_in_escaped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY", "a&b")
    xml = '<order name="{{name}}"><key>${env:KEY}</key><n>{{missing_ok}}</n></order>'
    arrived = await seen({"xml": xml}, name='x" <&>', missing_ok=None)
    assert arrived.body == (
        b'<order name="x&quot; &lt;&amp;&gt;"><key>a&amp;b</key><n></n></order>'
    )
    assert arrived.headers["Content-Type"] == "application/xml"


async def test_a_graphql_operation_is_posted_as_json() -> None:
    graphql = {
        "query": "query Orders($n: Int) { orders(first: $n) { id } }",
        "variables": {"n": "{{size}}"},
        "operation": "Orders",
    }
    arrived = await seen({"graphql": graphql}, size=5)
    assert arrived.method == "POST"
    assert arrived.json() == {
        "query": graphql["query"], "variables": {"n": 5}, "operationName": "Orders",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "repeatable"),
    [("{ a }", True), ("query A { a }", True), ("mutation A { a }", False)],
)
def test_a_graphql_query_may_be_repeated_and_a_mutation_not(query: str, repeatable: bool) -> None:
    settings = RequestSettings.model_validate({"graphql": {"query": query}})
    request = build_first_request(settings, {}, Window(), None)
    assert (request.method, request.repeatable) == ("POST", repeatable)


async def test_a_file_is_sent_as_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "photo.bin"
    path.write_bytes(bytes(range(256)) * 4096)
    arrived = await seen({"file": "{{folder}}/photo.bin"}, folder=str(tmp_path))
    assert arrived.body == path.read_bytes()
    assert arrived.headers["Content-Type"] == "application/octet-stream"
    assert arrived.headers["Content-Length"] == str(path.stat().st_size)
    assert "Transfer-Encoding" not in arrived.headers


async def test_base64_is_sent_as_the_bytes_it_stands_for() -> None:
    arrived = await seen({"base64": "AAEC\n/w==", "content_type": "image/png"})
    assert (arrived.body, arrived.headers["Content-Type"]) == (b"\0\1\2\xff", "image/png")


async def test_multipart_holds_fields_files_and_parts_of_their_own_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "canary-91")
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\r\n--x\r\n")
    fields = {
        "title": "Grüße {{who}}",
        "token": "${env:TOKEN}",
        "public": True,
        "left_out": None,
        "empty": "",
        "tags": ["a", "b"],
        "photo": {"file": str(tmp_path / "a.jpg")},
        "meta": {"json": {"n": [1]}},
        "note": {"text": "x", "filename": 'a"b.txt', "content_type": "text/markdown"},
        "raw": {"base64": "AAE=", "filename": "b"},
    }
    arrived = await seen({"multipart": fields, "arrays": "indices"}, who="Ana")
    found = parts(arrived)
    contents = {name: part.get_payload(decode=True) for name, part in found.items()}
    assert contents == {
        "title": "Grüße Ana".encode(), "token": b"canary-91", "public": b"true", "empty": b"",
        "tags[0]": b"a", "tags[1]": b"b", "photo": b"\xff\xd8\r\n--x\r\n",
        "meta": b'{"n":[1]}', "note": b"x", "raw": b"\0\1",
    }  # fmt: skip
    kinds = {name: part.get_content_type() for name, part in found.items()}
    assert (kinds["photo"], kinds["meta"], kinds["note"]) == (
        "image/jpeg", "application/json", "text/markdown",
    )  # fmt: skip
    names = {name: part.get_filename() for name, part in found.items()}
    assert (names["photo"], names["note"], names["raw"]) == ("a.jpg", "a%22b.txt", "b")
    assert int(arrived.headers["Content-Length"]) == len(arrived.body)


@pytest.mark.parametrize(("arrays", "name"), [("repeat", "f"), ("brackets", "f[]"), ("comma", "f")])
async def test_several_files_can_have_one_name(arrays: str, name: str) -> None:
    files = [{"text": "1", "filename": "a"}, {"text": "2", "filename": "b"}]
    arrived = await seen({"multipart": {"f": files}, "arrays": arrays})
    assert arrived.body.count(f'name="{name}"; filename='.encode()) == 2


async def test_a_part_cannot_break_out_of_its_header() -> None:
    fields = {'a"\r\nX-Evil: 1': {"text": "x", "filename": "b\r\n\r\nevil"}}
    arrived = await seen({"multipart": fields})
    assert b"\r\nX-Evil" not in arrived.body
    assert b"\r\nevil" not in arrived.body


async def test_streamed_bodies_are_made_anew_for_each_attempt(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"0123456789" * 100_000)
    request = made({"multipart": {"f": {"file": str(path)}, "t": "x"}, "idempotency_key": True})
    with serve(replies(answer({}, 503), answer({}, 500), {})) as server:
        await send(server.url, request)
    bodies = [parts(each)["f"].get_payload(decode=True) for each in server.requests]
    assert bodies == [path.read_bytes()] * 3


async def test_a_body_is_sent_again_when_a_redirect_asks_for_that(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    moved = {"/things": lambda _: answer(None, 307, {"Location": "/b"}), "/b": lambda _: {}}
    with serve(moved) as server:
        await send(server.url, made({"file": str(tmp_path / "a.txt")}))
    assert [each.body for each in server.requests] == [b"abc", b"abc"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"file": "/nowhere/a.bin"}, "no file '/nowhere/a.bin'"),
        ({"multipart": {"f": {"file": "/nowhere"}}}, "no file '/nowhere'"),
        ({"base64": "not base64!"}, "is no base64"),
        ({"text": "x", "content_type": "a\nb"}, "line break"),
        ({"multipart": {"f": {"text": "x", "content_type": "a\r\nX: 1"}}}, "content type of"),
        ({"form": {"a": ["x,y"]}, "arrays": "comma"}, "cannot tell apart"),
        ({"params": {"a": [{"b": 1}]}, "arrays": "comma"}, "holds objects or lists"),
    ],
)
async def test_a_body_that_cannot_be_made_is_a_configuration_error(
    settings: dict[str, Any], message: str
) -> None:
    with serve(lambda _: {}) as server:
        with pytest.raises(ConfigurationError, match=message):
            await send(server.url, made(settings))
        assert not server.requests


async def test_a_file_that_shrinks_while_it_is_sent_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 1000)
    opened = Path.open

    def shrink(self: Path, *args: Any, **more: Any) -> Any:
        path.write_bytes(b"x")
        return opened(self, *args, **more)

    monkeypatch.setattr(Path, "open", shrink)
    with serve(lambda _: {}) as server, pytest.raises((ConfigurationError, ApiUnavailableError)):
        await send(server.url, made({"file": str(path)}), retry={"max_retries": 0})


@pytest.mark.parametrize(
    ("arrays", "query"),
    [
        ("repeat", "a=1&a=x&d=&e[f]=1&e[g][h]=2&i[0][j]=3"),
        ("brackets", "a[]=1&a[]=x&d=&e[f]=1&e[g][h]=2&i[0][j]=3"),
        ("indices", "a[0]=1&a[1]=x&d=&e[f]=1&e[g][h]=2&i[0][j]=3"),
        ("comma", "a=1,x&d=&e[f]=1&e[g][h]=2"),
    ],
)
async def test_lists_and_objects_are_written_alike_in_query_and_form(
    arrays: str, query: str
) -> None:
    values: dict[str, Any] = {
        "a": [1, "x"], "b": [], "c": None, "d": "", "e": {"f": True and 1, "g": {"h": 2}},
    }  # fmt: skip
    if arrays != "comma":
        values["i"] = [{"j": 3}]
    arrived = await seen({"params": values, "form": values, "arrays": arrays})
    plain = str.maketrans({"%": "%"})
    for text in (arrived.target.partition("?")[2], arrived.body.decode()):
        shown = text.translate(plain)
        for code, sign in (("%5B", "["), ("%5D", "]"), ("%2C", ",")):
            shown = shown.replace(code, sign)
        assert shown == query


async def test_a_parameter_replaces_those_of_its_written_name_in_the_url() -> None:
    request = ApiRequest("GET", "/o?a[]=1&b=2", params={"a": [3]}, arrays="brackets")
    with serve(lambda _: {}) as server:
        await send(server.url, request)
    assert server.requests[0].query == {"b": ["2"], "a[]": ["3"]}


def test_values_nested_without_an_end_are_refused() -> None:
    from astrio.tasks.http.parameters import query_items

    deep: Any = 1
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        list(query_items({"x": deep}))


@pytest.mark.parametrize(
    ("key", "header"), [(True, "Idempotency-Key"), ("X-Request-Id", "X-Request-Id")]
)
async def test_an_idempotency_key_stays_over_attempts_and_differs_between_requests(
    key: Any, header: str
) -> None:
    request = made({"body": {"a": 1}, "idempotency_key": key})
    with serve(replies(answer({}, 503), {}, {})) as server:
        await send(server.url, request)
        await send(server.url, request)
    first, again, other = (each.headers[header] for each in server.requests)
    assert first == again != other
    assert len(first) == 36


async def test_a_post_with_a_key_is_repeated_when_its_answer_is_lost() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with serve_raw(RESET, ok) as server:
        await send(server.url, made({"body": {}, "idempotency_key": True}))
        assert len(server.requests) == 2
    with serve_raw(RESET, ok) as server, pytest.raises(ApiUnavailableError, match="unknown"):
        await send(server.url, made({"body": {}}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"body": {}, "form": {}}, "one body, not body and form"),
        ({"xml": "", "text": ""}, "one body, not text and xml"),
        ({"graphql": {"query": "{a}"}, "method": "PUT"}, "is posted"),
        ({"multipart": {}, "content_type": "a/b"}, "its own content type"),
        ({"multipart": {"a": {}}}, "exactly one of"),
        ({"multipart": {"a": {"file": "x", "text": "y"}}}, "exactly one of"),
        ({"idempotency_key": "a b"}, "a header's name"),
        ({"arrays": "pipes"}, "repeat"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        RequestSettings.model_validate(settings)
