"""Files that hold an action: told from integrations, checked with places, and warned of."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tasks.actions.page import PAGE

from astrio.blocks.auth.bearer import BearerAuth
from astrio.blocks.errors import ConfigurationError
from astrio.flows.reading.read import check_file, read_action, read_file, read_integration
from astrio.tasks.destinations.targets.action import ActionTarget

WRAPPED = """\
name: hello
vars: {{list: news}}
map: {{email: lower(user.email)}}
push:
  to: {{url: "https://api.example.com/{{{{list}}}}", body: {{to: "{{{{{name}}}}}"}}}}
"""


def written(folder: Path, text: str, name: str = "hello.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def told(folder: Path, text: str) -> list[str]:
    return [str(each) for each in check_file(written(folder, text))]


@pytest.mark.parametrize("vendor", PAGE)
def test_every_snippet_of_the_product_page_is_accepted_as_written(
    vendor: str, tmp_path: Path
) -> None:
    for indent in ("", "  "):
        lines = "".join(f"{indent}{line}\n" for line in PAGE[vendor].splitlines())
        text = f"push:\n  to:\n  {lines}" if indent else lines
        loaded = read_action(written(tmp_path, text))
        assert loaded.action.name == "hello"
        assert "YOUR" in loaded.action.action.url or loaded.action.action.body is not None


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        (
            "slack",
            ["3:7: warning: this URL is a secret", "6:1: warning: Slack's incoming webhooks"],
        ),
        ("discord", ["2:7: warning: Discord tells", "2:7: warning: this URL is a secret"]),
        ("sendgrid", ["5:19: warning: a secret is written out in `headers.Authorization`"]),
        ("google", ["3:7: warning: Google has switched", "11:6: warning: Google's terms"]),
        ("mixpanel", ["6:14: warning: Mixpanel takes", "6:14: warning: without `$insert_id`"]),
        ("s3", ["5:1: warning: AWS wants a signature", "5:19: warning: a secret is written out"]),
        ("cloudinary", ["3:7: warning: Cloudinary takes an upload"]),
    ],
)
def test_what_a_vendor_does_not_accept_is_a_warning(
    vendor: str, expected: list[str], tmp_path: Path
) -> None:
    found = told(tmp_path, PAGE[vendor])
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "url: https://hooks.slack.com/services/a\ntext: hello\n",
        "url: https://api.mixpanel.com/track\nform: {data: abc}\n",
        "url: https://www.google-analytics.com/collect\nform: {el: a label}\n",
        "url: https://b.s3.amazonaws.com/a\nmethod: PUT\n",
        "url: [a]\nmethod: PUT\n",
    ],
)
def test_other_forms_of_a_vendors_request_raise_nothing(text: str, tmp_path: Path) -> None:
    assert all("unknown key" not in line for line in told(tmp_path, text))


def test_what_the_vendors_accept_is_not_warned_of(tmp_path: Path) -> None:
    good = [
        'url: "${env:SLACK_HOOK}"\nbody: {text: hello}\n',
        'url: "https://discord.com/api/webhooks/${env:HOOK}?wait=true"\ncontent: hello\n',
        "url: https://api.mixpanel.com/track\n"
        "body: {event: a, properties: {token: t, $insert_id: '{{id}}'}}\n",
        "url: https://api.cloudinary.com/v1_1/me/image/upload\n"
        "form: {file: '{{data}}', upload_preset: mine}\n",
        'url: "https://www.google-analytics.com/mp/collect?api_secret=${env:GA}"\nbody: {a: 1}\n',
    ]
    assert [told(tmp_path, text) for text in good] == [[]] * len(good)


def test_a_misspelling_is_told_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    text = "method: POST\nurl: https://a.example/\nboddy: {a: 1}\nhedaers: {}\n"
    assert told(tmp_path, text) == [
        "3:1: unknown key `boddy`; did you mean `body`?",
        "4:1: unknown key `hedaers`; did you mean `headers`?",
    ]


def test_placeholders_are_checked_by_the_targets_of_the_mapping(tmp_path: Path) -> None:
    assert told(tmp_path, WRAPPED.format(name="email")) == []
    [line] = told(tmp_path, WRAPPED.format(name="emial"))
    assert line == "5:63: Nothing is called emial here; did you mean email?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('url: "https://{{host}}/a"\nbody: {}\n', "1:6: a placeholder cannot stand in the URL's"),
        ("url: example.com\nmethod: GET\n", "1:6: a URL begins with https://"),
        ("url: https://a.example\nmethod: SEND\n", "2:9: text `SEND` is none of"),
        ("url: https://a.example\nbody: {}\nform: {}\n", "1:1: a request has one body"),
        (
            "url: https://a.example\nresponse: {success: 'ok('}\n",
            "2:25: The expression ends too early",
        ),
        ("url: https://a.example/?api_key=abc\nmethod: GET\n", "1:6: warning: a secret is written"),
        (
            "url: https://a.example/\nauth: {token: abc}\n",
            "2:15: warning: a secret is written out in `auth.token`",
        ),
        ("url: https://a.example\nvalidate: [{fild: a}]\n", "2:13: unknown key `fild`"),
    ],
)
def test_each_mistake_has_its_place(text: str, message: str, tmp_path: Path) -> None:
    found = told(tmp_path, text)
    assert any(line.startswith(message) for line in found), found


def test_the_type_of_the_credentials_is_told_by_their_keys(tmp_path: Path) -> None:
    text = 'url: https://a.example/\nauth: {token: "${env:TOKEN}"}\n'
    auth = read_action(written(tmp_path, text)).action.action.auth
    assert isinstance(auth, BearerAuth)


def test_an_action_is_no_integration(tmp_path: Path) -> None:
    path = written(tmp_path, PAGE["slack"])
    with pytest.raises(ConfigurationError, match="is an action") as caught:
        read_integration(path)
    assert "astrio call" in caught.value.advice


def test_an_integration_is_no_action(tmp_path: Path) -> None:
    text = "name: a\nsource: {api: shop}\npush: {to: warehouse, table: a}\n"
    with pytest.raises(ConfigurationError, match="is no action"):
        read_action(written(tmp_path, text))


@pytest.mark.parametrize("vendor", PAGE)
def test_each_action_of_the_product_page_may_follow_a_source(vendor: str, tmp_path: Path) -> None:
    lines = "".join(f"  {line}\n" for line in PAGE[vendor].splitlines())
    path = written(tmp_path, f"name: a\nsource: {{api: shop}}\npush:\n  to:\n  {lines}")
    assert [str(each) for each in check_file(path) if not each.warning] == []
    push = read_integration(path).integration.push
    assert isinstance(push.to, ActionTarget)
    assert push.mode == "append"


def test_what_services_do_not_accept_is_told_of_a_source_too(tmp_path: Path) -> None:
    text = "name: a\nsource: {api: shop}\nmap: {id: id}\npush: {to: {url: "
    text += '"https://hooks.slack.com/services/x", body: {channel: a, text: "{{nmae}} {{id}}"}}}\n'
    found = list(told(tmp_path, text))
    assert any("this URL is a secret" in line for line in found)
    assert any("incoming webhooks ignore or refuse `channel`" in line for line in found)
    assert any("Nothing is called nmae here" in line for line in found)


def test_a_database_without_a_source_is_still_an_integration(tmp_path: Path) -> None:
    text = 'name: a\npush: {to: {url: "sqlite:///a.db"}, table: a}\n'
    [line] = told(tmp_path, text)
    assert "`source` is missing" in line
    assert not read_file(written(tmp_path, PAGE["google"], "g.yaml")).action.errors  # type: ignore[union-attr]
