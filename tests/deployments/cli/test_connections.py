"""`astrio connections`: saved, listed, tried out and removed on a real Prefect server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.deployments.cli.cli import call, called
from tests.support.blocks import save_block, save_secret
from tests.support.command import astrio
from tests.support.server import answer, serve, unused_url

from astrio.blocks.api import RestApi
from astrio.blocks.auth.api_key import ApiKeyAuth
from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.database import Database
from astrio.blocks.errors import ConfigurationError
from astrio.blocks.secrets import resolve
from astrio.blocks.store import reader
from astrio.blocks.store.kinds import kinds

KEY = "cnn-cAnary-51f0"


@pytest.fixture(autouse=True)
def _nothing_saved(
    folder: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """An empty server before each test; other tests' blocks have names of their own."""
    from astrio.blocks.saved.saving import delete

    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    reader.forget()
    with reader.open_door() as door:
        for model in kinds().values():
            for document in reader.listed(door, model):
                delete(document)
    yield
    reader.forget()


def added(*words: str) -> None:
    result = call("connections", "add", *words)
    assert result.exit_code == 0, result.stderr


def refused(*words: str, code: int = 2) -> str:
    """Return what is told, on one line, when a command is refused."""
    result = call("connections", *words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def test_a_secret_is_read_from_standard_input(folder: Path) -> None:
    from typer.testing import CliRunner

    from astrio.deployments.cli import app

    words = ["connections", "add", "shop-key", "bearer", "token=-"]
    result = CliRunner().invoke(app, words, input=f"{KEY}\n")
    assert result.exit_code == 0, result.stderr
    assert KEY not in result.output
    assert reader.connection("shop-key", BearerAuth) == BearerAuth(token=KEY)


def test_where_it_is_saved_is_told(folder: Path, prefect_api: str) -> None:
    told = call("connections", "add", "k", "bearer", "token=${env:A}").stderr
    assert f"The bearer token `k` is saved on the Prefect server {prefect_api}.\n" in told
    assert "has no authentication" in told
    alone = {"PREFECT_API_URL": None, "PREFECT_HOME": str(folder / "prefect")}
    words = ("connections", "add", "k", "bearer", "token=${env:A}")
    ended = astrio(*words, folder=folder, environment=alone)
    assert ended.code == 0, ended.err
    assert f"is saved on the Prefect server of {folder / 'astrio-home'}." in ended.err
    assert "no authentication" not in ended.err


def test_a_secret_block_is_saved_and_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    added("plain", "secret", "--from-env", "value=SHOP_KEY")
    assert resolve("${secret:plain}") == KEY
    added("shop", "base_url=https://x.example.com")
    with pytest.raises(ConfigurationError, match=r"\(saved are shop\)"):
        reader.rest_api("zzzzzzzz")


def test_the_readmes_commands_save_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from astrio.deployments.cli import app

    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    lines = [line for line in readme.splitlines() if line.startswith("astrio connections add ")]
    assert len(lines) == 3
    monkeypatch.setenv("WAREHOUSE_URL", "sqlite:///warehouse.db")
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        result = CliRunner().invoke(app, words, input=f"{KEY}\n")
        assert result.exit_code == 0, result.stderr
    assert reader.rest_api("shop").auth == ApiKeyAuth(header="X-Shop-Token", value=KEY)
    assert reader.database("warehouse").url == "sqlite:///warehouse.db"


def test_nothing_on_standard_input_is_told() -> None:
    assert "standard input holds nothing" in refused("add", "k", "bearer", "token=-")


def test_a_secret_that_must_be_given_is_asked_for() -> None:
    assert "`token` is asked for" in refused("add", "k", "bearer")


def test_a_secret_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    added("shop-key", "bearer", "--from-env", "token=SHOP_KEY")
    assert reader.connection("shop-key", BearerAuth) == BearerAuth(token=KEY)
    assert "not set" in refused("add", "k", "bearer", "--from-env", "token=NO_SUCH_VARIABLE")


@pytest.mark.parametrize(
    "words",
    [
        ("k", "bearer", f"token={KEY}"),
        ("k", "basic", "username=ann", f"password={KEY}"),
        ("k", "headers", f"headers.X-Anything={KEY}"),
        ("k", "secret", f"value={KEY}"),
        ("k", "base_url=https://x.example.com", f"headers.X-Api-Key={KEY}"),
        ("k", "database", f"url=postgresql://ann:{KEY}@db.example.com/shop"),
        ("k", "database", "url=sqlite:///x.db", f"password={KEY}"),
    ],
)
def test_a_secret_on_the_command_line_is_refused(words: tuple[str, ...]) -> None:
    told = refused("add", *words)
    assert "seen by others" in told
    assert KEY not in told
    assert called("connections", "list") == {"connections": []}


def test_a_reference_is_saved_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    added("k", "bearer", "token=${env:SHOP_KEY}")
    assert reader.connection("k", BearerAuth) == BearerAuth(token="${env:SHOP_KEY}")


def test_what_is_no_secret_may_stand_there() -> None:
    added(
        *("shop", "base_url=https://x.example.com", "headers.X-Version=2", "timeout=5"),
        *("concurrency=2", "allow_hosts=a.example.com,b.example.com"),
    )
    added("warehouse", "database", "url=postgresql://ann@db.example.com/shop")
    api = reader.rest_api("shop")
    assert (api.headers, api.timeout, api.limits.concurrency) == ({"X-Version": "2"}, 5.0, 2)
    assert api.allow_hosts == ("a.example.com", "b.example.com")
    assert reader.database("warehouse") == Database(url="postgresql://ann@db.example.com/shop")


def test_an_api_names_its_authentication(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    added("shop-key", "bearer", "--from-env", "token=SHOP_KEY")
    added("shop", "base_url=https://x.example.com", "auth=shop-key")
    assert reader.rest_api("shop").auth == BearerAuth(token=KEY)
    added("other", "base_url=https://x.example.com", "auth=bearer/shop-key")
    assert reader.rest_api("other").auth == BearerAuth(token=KEY)


def test_one_name_for_several_authentications_is_told() -> None:
    added("same", "bearer", "token=${env:A}")
    added("same", "basic", "username=a", "password=${env:B}")
    told = refused("add", "shop", "base_url=https://x.example.com", "auth=same")
    assert "auth=basic/same or auth=bearer/same" in told
    assert "is saved several times" in refused("remove", "same")
    assert call("connections", "remove", "same", "basic").exit_code == 0


def test_fields_are_changed_and_the_others_kept() -> None:
    added("k", "bearer", "token=${env:SHOP_KEY}")
    added("shop", "base_url=https://x.example.com", "headers.X-A=1", "auth=k", "timeout=5")
    assert "is saved already" in refused("add", "shop", "timeout=7")
    added("shop", "--replace", "timeout=7", "headers.X-B=2")
    api = reader.rest_api("shop")
    assert (api.timeout, api.headers) == (7.0, {"X-A": "1", "X-B": "2"})
    assert api.auth == BearerAuth(token="${env:SHOP_KEY}")
    added("shop", "rest_api", "--replace", "auth=none")
    reader.forget()
    assert reader.rest_api("shop").auth == RestApi(base_url="https://x.example.com").auth


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("k", "barer"), "Did you mean `bearer`?"),
        (("k", "bearer", "tokn=-"), "Did you mean `token`?"),
        (("k", "bearer", "=-"), "has no field ``"),
        (("Shop API", "base_url=https://x.example.com"), "for example `shop-api`"),
        (("k", "base_url=nonsense"), "begins with https://"),
        (("k", "base_url=https://x.example.com", "timeout=soon"), "`timeout=soon`"),
        (("k", "base_url=https://x.example.com", "concurrency=0"), "`concurrency`"),
        (("k", "base_url=https://x.example.com", "headers=a"), "headers.NAME=VALUE"),
        (("k", "base_url.x=https://x.example.com"), "base_url=VALUE"),
        (("k", "base_url=https://x.example.com", "auth=nobody"), "no saved authentication"),
        (("k", "base_url=https://x.example.com", "timeout"), "is no FIELD=VALUE"),
        (("k", "timeout=5"), "`base_url` is empty"),
        (("k", "api_key", "value=${env:A}"), "exactly one of header, query, cookie and body"),
        (("k", "headers"), "headers.NAME=-"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_saved(words: tuple[str, ...], told: str) -> None:
    assert told in refused("add", *words)
    assert called("connections", "list") == {"connections": []}


def test_the_list_shows_no_secret_and_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nothing is saved yet" in call("connections", "list").stderr
    monkeypatch.setenv("URL", f"postgresql://ann:{KEY}@db.example.com/shop")
    added("warehouse", "database", "--from-env", "url=URL")
    added("k", "bearer", "token=${env:A}")
    added("shop", "base_url=https://x.example.com", "auth=k")
    save_secret("plain", KEY)
    save_block(BearerAuth, "empty", token="")
    listed = {row["name"]: row for row in called("connections", "list")["connections"]}
    assert listed["shop"] == {
        "name": "shop",
        "kind": "rest_api",
        "url": "https://x.example.com",
        "auth": "k",
        "problem": None,
    }
    assert listed["warehouse"]["url"] == "postgresql://***@db.example.com/shop"
    assert listed["plain"]["kind"] == "secret"
    assert "`token` is empty" in listed["empty"]["problem"]
    shown = call("connections", "list").stdout
    assert KEY not in shown
    assert "half filled" in shown


def test_a_removed_one_is_gone_unless_another_needs_it() -> None:
    added("k", "bearer", "token=${env:A}")
    added("shop", "base_url=https://x.example.com", "auth=k")
    assert "is used by shop" in refused("remove", "k")
    assert call("connections", "remove", "shop").exit_code == 0
    assert call("connections", "remove", "k").exit_code == 0
    assert called("connections", "list") == {"connections": []}
    assert "There is no saved `k`" in refused("remove", "k")


def test_a_used_one_is_removed_by_force() -> None:
    added("k", "bearer", "token=${env:A}")
    added("shop", "base_url=https://x.example.com", "auth=k")
    assert call("connections", "remove", "k", "--force").exit_code == 0
    assert "has no `auth`" in refused("test", "shop")


def guarded(request: web.Request) -> object:
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return answer({}, 401)
    return {"ok": True} if request.path == "/orders" else answer({}, 404)


def test_an_api_is_tried_out_with_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY)
    with serve(guarded) as server:
        added("k", "bearer", "token=${env:SHOP_KEY}")
        added("shop", f"base_url={server.url}", "auth=k")
        assert "it answers (404" in call("connections", "test", "shop").stdout
        told = called("connections", "test", "shop", "--path", "/orders")
        assert told == {
            "name": "shop",
            "kind": "rest_api",
            "ok": True,
            "result": "it answers (200)",
        }
        refused("test", "shop", "--path", "/nowhere", code=1)
        monkeypatch.setenv("SHOP_KEY", "another")
        assert "401" in refused("test", "shop", code=1)
    assert "be resolved" in call("connections", "test", "k").stdout


def test_what_cannot_be_tried_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    added("away", f"base_url={unused_url()}")
    refused("test", "away", code=1)
    added("many", "base_url=https://{{shop}}.example.com")
    assert "filled in from an integration's `vars`" in refused("test", "many")
    added("k", "bearer", "token=${env:NO_SUCH_VARIABLE}")
    assert "NO_SUCH_VARIABLE" in refused("test", "k")
    save_secret("plain", "some-value")
    assert "it holds a value" in call("connections", "test", "plain").stdout


def test_a_database_is_tried_out(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", postgres_url)
    added("warehouse", "database", "--from-env", "url=WAREHOUSE")
    assert "lets us in" in call("connections", "test", "warehouse").stdout
    added("file", "database", "url=sqlite:///not-there.db")
    assert "is not there yet" in call("connections", "test", "file").stdout
    assert not Path("not-there.db").exists()


def test_a_server_that_is_down_is_told_with_its_address(folder: Path) -> None:
    url = unused_url()
    ended = astrio("connections", "list", folder=folder, environment={"PREFECT_API_URL": url})
    assert ended.code == 1
    assert url in ended.err
    assert "PREFECT_API_URL" in ended.err


def test_a_webhook_source_is_saved_and_its_secrets_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOK", KEY)
    added(
        "hook", "webhook_source", "scheme=stripe", "secret=${env:HOOK}", "allow=stripe,10.0.0.0/8"
    )
    saved = reader.webhook_source("hook")
    assert (saved.scheme.kind(), saved.allow) == ("stripe", ("stripe", "10.0.0.0/8"))
    assert "its secret fits the scheme `stripe`" in call("connections", "test", "hook").stdout
    added("hook", "webhook_source", "--replace", 'scheme={"type": "jwt", "issuer": "x"}')
    reader.forget()
    assert "32 characters" in refused("test", "hook", code=2)
    assert KEY not in call("connections", "list").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("webhook_source", 'scheme={"type":"mtls","subjects":["CN=a"]}'), "needs no secret"),
        (("webhook_target", "--from-env", "url=HOOK_URL"), "are not signed"),
        (
            ("webhook_target", "--from-env", "url=HOOK_URL", "secret=${env:HOOK}", "scheme=hmac"),
            "its secret fits the scheme `hmac`",
        ),
    ],
)
def test_what_a_webhook_s_secrets_are_for_is_told(
    words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", KEY)
    monkeypatch.setenv("HOOK_URL", "https://example.com/hooks")
    added("hook", *words)
    assert told in call("connections", "test", "hook").stdout


def test_a_webhook_s_secret_never_stands_on_the_command_line() -> None:
    told = refused("add", "hook", "webhook_source", "scheme=github", f"secret={KEY}")
    assert KEY not in told


def test_a_webhook_source_without_a_secret_is_not_saved() -> None:
    assert "anybody could send" in refused("add", "hook", "webhook_source", "scheme=github")
