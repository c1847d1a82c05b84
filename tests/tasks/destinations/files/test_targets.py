"""The settings of `push.to` a file or S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.destinations.files.target import FilesTarget
from astrio.tasks.destinations.opening import open_destination
from astrio.tasks.destinations.settings import PushSettings

S3 = {"bucket": "lake", "key": "a.csv", "region": "eu-central-1"}


def push(to: Any, **more: Any) -> PushSettings:
    return PushSettings.model_validate({"to": to, **more})


def target(to: Any) -> FilesTarget:
    found = push(to).to
    assert isinstance(found, FilesTarget)
    return found


@pytest.mark.parametrize(
    ("to", "form", "gzipped"),
    [
        ({"file": "a.jsonl"}, "jsonl", False),
        ({"file": "a.ndjson.gz"}, "jsonl", True),
        ({"file": "a.CSV"}, "csv", False),
        ({"file": "a.parquet"}, "parquet", False),
        ({"file": "a.txt", "format": "csv"}, "csv", False),
        ({"file": "a.csv", "format": "jsonl"}, "jsonl", False),
        ({"file": "out/"}, "jsonl", False),
        ({"file": "out/", "format": "csv", "compression": "gzip"}, "csv", True),
        ({"file": "a-{{format_date(timestamp, '%Y.%m')}}.csv"}, "csv", False),
        ({"s3": S3}, "csv", False),
        ({"s3": {"bucket": "lake", "prefix": "a.b"}, "format": "parquet"}, "parquet", False),
    ],
)
def test_format_and_compression_are_told_by_the_name_or_given(
    to: Any, form: str, *, gzipped: bool
) -> None:
    assert (target(to).form, target(to).gzipped) == (form, gzipped)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ({"file": "a.txt"}, "tells no format"),
        ({"file": "a.parquet.gz"}, "compresses its columns"),
        ({"file": "a.jsonl", "escape_formulas": True}, "is for CSV"),
        ({"file": "${env:OUT}/a.csv"}, "without ${…}"),
        ({"file": "s3://lake/a.csv"}, "write `s3`"),
        ({"file": "a\0.csv"}, "NUL"),
        ({"s3": {"bucket": "lake"}}, "give one of `key`"),
        ({"s3": {**S3, "prefix": "b"}}, "give one of `key`"),
        ({"s3": {**S3, "key": "/a.csv"}}, "does not begin with a slash"),
        ({"s3": {**S3, "key": "${env:A}.csv"}}, "with {{…}} only"),
        ({"s3": {**S3, "bucket": "lake/orders"}}, "no slash"),
        ({"s3": {**S3, "endpoint_url": "storage.example.com"}}, "begins with https://"),
        ({"s3": {**S3, "endpoint_url": "https://me:pw@storage.example.com"}}, "no user"),
        ({"s3": {**S3, "access_key_id": "AKIA"}}, "give both"),
        ({"s3": {**S3, "session_token": "${env:T}"}}, "goes with"),
    ],
)
def test_what_cannot_work_is_refused(to: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("$", r"\$").replace("{", r"\{")):
        push(to)


def test_camel_case_is_read_too() -> None:
    s3 = {"bucket": "lake", "key": "a.csv", "pathStyle": True, "endpointUrl": "http://here"}
    assert target({"s3": s3, "escapeFormulas": True}).escape_formulas


def test_a_table_has_no_effect(tmp_path: Path) -> None:
    to = {"file": f"{tmp_path}/a.csv"}
    assert push(to, table="orders").table == push(to).table


def test_settings_that_were_stored_are_read_again() -> None:
    stored = push({"s3": S3}, key=["id"]).model_dump(mode="json")
    assert PushSettings.model_validate(stored) == push({"s3": S3}, key=["id"])


def test_places_are_told_apart(tmp_path: Path) -> None:
    tables = {
        push(to).table
        for to in (
            {"file": f"{tmp_path}/a.csv"},
            {"file": f"{tmp_path}/b.csv"},
            {"file": f"{tmp_path}/b/"},
            {"s3": S3},
            {"s3": {**S3, "endpoint_url": "https://other.example.com"}},
        )
    }
    assert len(tables) == 5


def test_literal_secrets_are_masked_and_references_are_not() -> None:
    secrets = {"access_key_id": "AKIA", "secret_access_key": "a-literal", "session_token": ""}
    to = push({"s3": {**S3, **secrets}})
    assert "a-literal" not in to.model_dump_json() + repr(to)
    by_name = push({"s3": {**S3, **secrets, "secret_access_key": "${env:LAKE}"}})
    assert "${env:LAKE}" in by_name.model_dump_json()


def test_appending_to_one_file_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    settings = push({"file": f"{tmp_path}/a.csv"}, mode="append")
    with pytest.raises(ConfigurationError, match="nothing can be added"):
        open_destination(settings, "items")


def test_a_profile_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "none-such")
    with pytest.raises(ConfigurationError, match="none-such"):
        open_destination(push({"s3": S3}), "items")
