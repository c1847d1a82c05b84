"""From a file to the model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.flows.integration import Integration
from astrio.flows.reading.mistakes import IntegrationFileError
from astrio.flows.reading.read import check_file, read_integration

SHOP = """
name: shop
source:
  api:
    base_url: https://shop.example.com
    auth: {auth}
push: {{to: {{url: "sqlite:///shop.db"}}, table: orders}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Integration:
    return read_integration(written(folder, text)).integration


def test_camel_case_and_snake_case_mean_the_same(tmp_path: Path) -> None:
    snake = """
name: shop
max_rejected: 5%
source:
  api: {base_url: https://shop.example.com, limits: {max_response_bytes: 2000}}
  allow_missing: true
  paginate: {type: page_number, param: page, size_param: limit, size: 10, max_pages: 4}
  incremental: {cursor: updated_at, param: since, end_param: until}
push: {to: {url: "sqlite:///shop.db"}, table: orders}
retry: {max_retries: 1, retry_delay: 5, backoff_multiplier: 3, retry_on_status: [500]}
"""
    camel = snake
    for name in ("max_rejected", "base_url", "max_response_bytes", "allow_missing", "size_param",
                 "max_pages", "end_param", "max_retries", "retry_delay", "backoff_multiplier",
                 "retry_on_status"):  # fmt: skip
        first, *rest = name.split("_")
        camel = camel.replace(name, first + "".join(word.title() for word in rest))
    assert "_retries" not in camel
    assert read(tmp_path, camel) == read(tmp_path, snake)


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ('{header: X-Key, value: "${env:KEY}"}', "api_key"),
        ('{token: "${env:TOKEN}"}', "bearer"),
        ('{username: ada, password: "${env:PASSWORD}"}', "basic"),
        ('{headers: {X-Key: "${env:KEY}"}}', "headers"),
        ('{Authorization: "Bearer ${env:TOKEN}", X-API-Key: "${env:KEY}"}', "headers"),
        ("{type: none}", "none"),
    ],
)
def test_the_type_of_an_authentication_is_told_by_its_keys(
    tmp_path: Path, auth: str, kind: str
) -> None:
    integration = read(tmp_path, SHOP.format(auth=auth))
    assert integration.source.connection.auth.model_dump()["type"] == kind


def test_an_object_of_headers_keeps_its_headers(tmp_path: Path) -> None:
    integration = read(tmp_path, SHOP.format(auth='{X-API-Key: "${env:KEY}"}'))
    assert integration.source.connection.auth.model_dump()["headers"] == {"X-API-Key": "${env:KEY}"}


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        ("{clientId: a, clientSecret: b, authorizationUrl: c, tokenUrl: d}", "authorization_code"),
        ("{clientId: a, clientSecret: b, refreshToken: c, tokenUrl: d}", "refresh_token"),
        ("{clientId: a, clientSecret: b, tokenUrl: d}", "client_credentials"),
    ],
)
def test_the_product_page_s_oauth_config_is_recognised(
    tmp_path: Path, auth: str, kind: str
) -> None:
    auth = re.sub(r"(Url: )(\w)", r"\1https://id.example.com/\2", auth)
    loaded = read_integration(written(tmp_path, SHOP.format(auth=auth)))
    assert loaded.integration.source.connection.auth.kind() == f"oauth2_{kind}"


@pytest.mark.parametrize("auth", ["{colour: red}", "{}"])
def test_an_authentication_of_unknown_keys_needs_its_type(tmp_path: Path, auth: str) -> None:
    [mistake] = check_file(written(tmp_path, SHOP.format(auth=auth)))
    assert mistake.message.startswith("`type` is missing: one of `api_key`")


def test_an_editor_s_schema_key_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(
        '{"$schema": "integration.schema.json", "name": "shop",'
        ' "source": {"api": {"base_url": "https://shop.example.com"}},'
        ' "push": {"to": {"url": "sqlite:///shop.db"}, "table": "orders"}}'
    )
    assert read_integration(path).integration.name == "shop"


def test_warnings_come_with_the_integration(tmp_path: Path) -> None:
    path = written(tmp_path, SHOP.format(auth="{type: none}") + "alerts: {errorThreshold: 5}\n")
    loaded = read_integration(path)
    assert loaded.integration.alerts == {"errorThreshold": 5}
    [warning] = loaded.warnings
    assert warning.warning
    assert warning.located(path).startswith(f"{path}:8:1: warning: `alerts` is not active yet")


def test_the_error_carries_every_mistake_and_exits_with_2(tmp_path: Path) -> None:
    path = written(
        tmp_path, SHOP.format(auth="{type: none}") + "nme: x\nschedule: '@hourly'\ntabel: y\n"
    )
    with pytest.raises(IntegrationFileError) as caught:
        read_integration(path)
    error = caught.value
    assert error.exit_code == 2
    assert [mistake.line for mistake in error.mistakes] == [8, 10]
    assert error.message.startswith(f"{path} has 2 mistakes; nothing was sent.\n{path}:8:1: ")


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file or directory"):
        check_file(tmp_path / "nothing.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a directory"):
        check_file(tmp_path)


def test_a_secret_never_stands_in_a_message(tmp_path: Path) -> None:
    text = SHOP.format(auth="{type: bearer, token: {inner: s3cret-token}, value: s3cret-value}")
    text += "retry: {max_retries: [s3cret-list]}\n"
    assert "s3cret" not in "".join(map(str, check_file(written(tmp_path, text))))


def test_a_message_is_always_one_line(tmp_path: Path) -> None:
    text = SHOP.format(auth="{type: none}") + '"two\\nlines": 1\n'
    [mistake] = check_file(written(tmp_path, text))
    assert "\n" not in mistake.message


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    text = SHOP.format(auth="{type: none}") + f"retry: {'x' * 500}\n"
    [mistake] = check_file(written(tmp_path, text))
    assert len(mistake.message) < 120
