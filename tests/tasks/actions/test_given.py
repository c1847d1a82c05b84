"""An action as code gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.actions.given import action_file
from astrio.tasks.actions.settings import Action, ActionFile, ActionPush

URL = "https://api.example.com/users"


@pytest.mark.parametrize(
    "given",
    [
        {"url": URL, "name": "users"},
        {"push": {"to": {"url": URL}}, "name": "users"},
        {"$schema": "x", "name": "users", "push": {"to": {"url": URL}}},
        ActionFile(name="users", push=ActionPush(to=Action(url=URL))),
    ],
)
def test_every_form_gives_the_same_action(given: Any) -> None:
    file = action_file(given)
    assert (file.name, file.action.url, file.action.method) == ("users", URL, "POST")
    assert action_file(file.action).action == file.action


def test_a_file_is_read_as_the_command_line_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    text = f"url: {URL}\nbody: {{on: no, number: 012, text: 'yes', colour: 0x0f}}\n"
    path.write_text(text + "errors: {404: Gone}\n")
    file = action_file(str(path))
    assert file.action.body == {"on": "no", "number": 12, "text": "yes", "colour": 15}
    assert file.errors == {"404": "Gone"}


@pytest.mark.parametrize("text", ["url: [", "url: a\nurl: b\n", "&a [*a]", "body: .inf\n", "- a\n"])
def test_a_file_that_cannot_be_used_is_told_to_be_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"users\.yaml"):
        action_file(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        action_file(tmp_path / "none.yaml")


def test_mistakes_are_told_without_the_values() -> None:
    with pytest.raises(ConfigurationError) as caught:
        action_file({"url": URL, "headers": {"Authorization": ["s3cret-value"]}, "boddy": 1})
    assert "boddy" in caught.value.message
    assert "s3cret-value" not in caught.value.message


def test_a_message_takes_what_stands_beside_its_url() -> None:
    action = action_file({"url": URL, "content": "a", "username": "b", "avatarUrl": "c"}).action
    assert action.body == {"content": "a", "username": "b", "avatarUrl": "c"}
    with pytest.raises(ConfigurationError, match="hedaers"):
        action_file({"url": URL, "content": "a", "hedaers": {}})


def test_a_literal_is_masked_where_the_action_is_stored() -> None:
    action = Action(
        url=URL, headers={"Authorization": "Bearer abcdefgh"}, proxy="http://u:pw1234@p:1"
    )
    stored = action.model_dump_json()
    assert "abcdefgh" not in stored
    assert "pw1234" not in stored


@pytest.mark.parametrize(
    "wrong",
    [{"proxy": "socks://a"}, {"allow_hosts": ["https://a"]}, {"transform": "a:b", "map": {}}],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        action_file({"url": URL, **wrong})
