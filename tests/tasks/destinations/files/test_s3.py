"""`push: {to: {s3: …}}`: objects in a store that speaks S3 (moto), whole or not at all."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pyarrow import BufferReader, parquet
from tests.flows.api import cursor_api, record
from tests.flows.running import failed_run, run
from tests.support.s3 import KEYS, Bucket
from tests.support.server import answer, serve, unused_url
from tests.tasks.destinations.files.killing import POINTS, killed, somewhere
from tests.tasks.destinations.files.test_killed import late
from tests.tasks.destinations.files.writing import files, plan

from astrio.blocks.errors import CredentialsError, DestinationBusyError, DestinationError
from astrio.flows.integration import Integration
from astrio.tasks.destinations.files import s3 as s3_module
from astrio.tasks.destinations.opening import stream_status
from astrio.tasks.report import RunReport

pytestmark = pytest.mark.usefixtures("home")
RECORDS = [record(number) for number in range(25)]
INCREMENTAL = {"incremental": {"cursor": "updated_at", "param": "since"}}


def lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


def check_clean(bucket: Bucket, home: Path, plan_: Integration, report: RunReport) -> None:
    """Nothing is on its way any more, here or there."""
    assert report.records.balanced
    assert bucket.uploads() == []
    assert [path for path in files(home) if "spool" in str(path)] == []
    assert not stream_status(plan_.push, plan_.name).unfinished


def test_records_become_an_object(bucket: Bucket, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"s3": bucket.to(key="out/items.jsonl")})
        report = run(plan_)
    assert bucket.names() == ["out/items.jsonl"]
    assert lines(bucket.read("out/items.jsonl")) == RECORDS
    check_clean(bucket, home, plan_, report)


def test_one_object_is_replaced_by_the_next_run(bucket: Bucket) -> None:
    records = list(RECORDS)
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"s3": bucket.to(key="items.csv")})
        run(plan_)
        del records[1:]
        report = run(plan_)
    assert bucket.read("items.csv").count(b"\r\n") == 2
    assert report.records.deleted == 25


def test_each_run_adds_an_object_to_a_prefix(bucket: Bucket, home: Path) -> None:
    records = list(RECORDS)
    with cursor_api(records) as api:
        to = {"s3": bucket.to(prefix="out/{{run_date}}"), "compression": "gzip"}
        plan_ = plan(api.url, to, source=INCREMENTAL)
        run(plan_)
        records.append(record(50))
        run(plan_)
        report = run(plan_)
    sizes = sorted(len(lines(gzip.decompress(bucket.read(key)))) for key in bucket.names())
    assert sizes == [1, 25]
    assert all(key.startswith("out/20") and key.endswith(".jsonl.gz") for key in bucket.names())
    check_clean(bucket, home, plan_, report)


def test_an_object_may_be_parquet(bucket: Bucket) -> None:
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"s3": bucket.to(key="a/b"), "format": "parquet"}))
    table = parquet.read_table(BufferReader(bucket.read("a/b")))
    assert table.column("id").to_pylist() == list(range(25))


def test_a_source_without_records_makes_an_empty_object(bucket: Bucket) -> None:
    with cursor_api([]) as api:
        run(plan(api.url, {"s3": bucket.to(key="items.jsonl")}))
    assert bucket.read("items.jsonl") == b""


def test_a_large_object_is_uploaded_in_parts(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "_PART", 5 << 20)
    records = [record(number, name="x" * 100_000) for number in range(120)]
    with cursor_api(records) as api:
        run(plan(api.url, {"s3": bucket.to(key="items.jsonl")}))
    assert lines(bucket.read("items.jsonl")) == records
    found = bucket.client.head_object(Bucket=bucket.name, Key="items.jsonl")
    assert found["ETag"].strip('"').endswith("-3")


def test_the_usual_credentials_count_if_none_are_given(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret_access_key"])
    with cursor_api(RECORDS) as api:
        to = {"bucket": bucket.name, "key": "items.jsonl", "endpoint_url": bucket.url}
        run(plan(api.url, {"s3": to}))
    assert bucket.names() == ["items.jsonl"]


def test_secrets_are_taken_from_variables(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_KEY", "the-secret-of-this-test")
    monkeypatch.setenv("S3_URL", bucket.url)
    with cursor_api(RECORDS) as api:
        to = bucket.to(key="a.csv", secret_access_key="${env:S3_KEY}", endpoint_url="${env:S3_URL}")
        run(plan(api.url, {"s3": to}))
    assert bucket.names() == ["a.csv"]


def test_a_run_that_fails_leaves_the_old_object_and_no_upload(bucket: Bucket, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        run(plan(api.url, {"s3": bucket.to(key="items.jsonl")}))
    with cursor_api([record(1)]) as api:
        plan_ = plan(api.url, {"s3": bucket.to(key="items.jsonl")}, map={"id": "int(name)"})
        failed_run(plan_)
    assert lines(bucket.read("items.jsonl")) == RECORDS
    assert bucket.uploads() == []
    assert [path for path in files(home) if "spool" in str(path)] == []


def test_a_missing_bucket_is_told_before_anything_is_read(bucket: Bucket) -> None:
    with cursor_api(RECORDS) as api:
        error = failed_run(plan(api.url, {"s3": {**bucket.to(key="a.csv"), "bucket": "none-such"}}))
    assert isinstance(error, DestinationError)
    assert "no such bucket" in error.message
    assert "push.to.s3.bucket" in error.advice


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_is_killed_while_it_adds_an_object_loses_and_doubles_nothing(
    bucket: Bucket, home: Path, point: str
) -> None:
    records = list(RECORDS)
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"s3": bucket.to(prefix="out/")}, source=INCREMENTAL)
        assert killed(plan_, point)
        assert len(bucket.names()) == (point in ("shown", "settled"))
        records.append(record(50))
        report = run(plan_)
    found = [each["id"] for key in bucket.names() for each in lines(bucket.read(key))]
    assert sorted(found) == [*range(25), 50]
    check_clean(bucket, home, plan_, report)


def test_an_upload_that_was_begun_and_never_noted_is_aborted(bucket: Bucket) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"s3": bucket.to(key="items.jsonl")})
        assert killed(plan_, "planned")
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key="items.jsonl")
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key="items.jsonl.other")
        run(plan_)
    assert bucket.uploads() == ["items.jsonl.other"]


def test_parts_that_somebody_has_aborted_are_read_again(bucket: Bucket, home: Path) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"s3": bucket.to(prefix="out/")}, source=INCREMENTAL)
        assert killed(plan_, "due")
        [upload] = bucket.client.list_multipart_uploads(Bucket=bucket.name)["Uploads"]
        bucket.client.abort_multipart_upload(
            Bucket=bucket.name, Key=upload["Key"], UploadId=upload["UploadId"]
        )
        report = run(plan_)
    assert report.records.written == 25
    assert len(bucket.names()) == 1
    check_clean(bucket, home, plan_, report)


Meddle = Callable[[web.Request, Callable[[], Awaitable[web.Response]]], Awaitable[web.Response]]


def through(bucket: Bucket, meddle: Meddle) -> Any:
    """Return a server's handler that passes requests on to the store, as `meddle` lets it."""

    async def handler(request: web.Request) -> web.Response:
        async def passed() -> web.Response:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.request(
                    request.method,
                    bucket.url + request.raw_path,
                    data=await request.read(),
                    headers=request.headers,
                ) as found,
            ):
                kept = {"etag", "content-type", "x-amz-meta-astrio-run"}
                headers = {
                    name: value for name, value in found.headers.items() if name.lower() in kept
                }
                return web.Response(body=await found.read(), status=found.status, headers=headers)

        return await meddle(request, passed)

    return handler


def is_completion(request: web.Request) -> bool:
    return request.method == "POST" and "uploadId" in request.query


def test_an_answer_that_is_lost_after_the_object_was_put_together_doubles_nothing(
    bucket: Bucket, home: Path
) -> None:
    async def lose(request: web.Request, passed: Any) -> web.Response:
        done = await passed()
        return web.Response(status=500) if is_completion(request) else done

    with cursor_api(RECORDS) as api, serve(through(bucket, lose)) as proxy:
        to = bucket.to(prefix="out/", endpoint_url=proxy.url)
        plan_ = plan(api.url, {"s3": to}, source=INCREMENTAL)
        report = run(plan_)
    assert report.records.written == 25
    assert len(bucket.names()) == 1


def test_a_store_that_goes_away_at_the_end_is_asked_again_by_the_next_run(
    bucket: Bucket, home: Path
) -> None:
    away = True

    async def meddle(request: web.Request, passed: Any) -> web.Response:
        asked = is_completion(request) or request.method == "HEAD"
        return web.Response(status=503) if away and asked else await passed()

    with cursor_api(RECORDS) as api, serve(through(bucket, meddle)) as proxy:
        to = bucket.to(prefix="out/", endpoint_url=proxy.url)
        plan_ = plan(api.url, {"s3": to}, source=INCREMENTAL)
        error = failed_run(plan_)
        assert isinstance(error, DestinationBusyError)
        assert "not known whether" in error.message
        assert bucket.names() == []
        away = False
        report = run(plan_)
    assert report.records.written == 0
    [key] = bucket.names()
    assert lines(bucket.read(key)) == RECORDS
    check_clean(bucket, home, plan_, report)


def test_a_refusal_at_the_end_leaves_no_object_and_no_upload(bucket: Bucket, home: Path) -> None:
    refused = True

    async def meddle(request: web.Request, passed: Any) -> web.Response:
        asked = is_completion(request) or request.method == "HEAD"
        text = xml("AccessDenied")
        return web.Response(status=403, text=text) if refused and asked else await passed()

    with cursor_api(RECORDS) as api, serve(through(bucket, meddle)) as proxy:
        to = bucket.to(prefix="out/", endpoint_url=proxy.url)
        plan_ = plan(api.url, {"s3": to}, source=INCREMENTAL)
        error = failed_run(plan_)
        assert isinstance(error, CredentialsError)
        assert (bucket.names(), bucket.uploads()) == ([], [])
        refused = False
        report = run(plan_)
    assert report.records.written == 25
    check_clean(bucket, home, plan_, report)


def test_an_object_that_may_not_be_looked_at_is_not_taken_for_lost(
    bucket: Bucket, home: Path
) -> None:
    blind = True

    async def meddle(request: web.Request, passed: Any) -> web.Response:
        if blind and request.method == "HEAD":
            return web.Response(status=403)
        done = await passed()
        return web.Response(status=500) if blind and is_completion(request) else done

    with cursor_api(RECORDS) as api, serve(through(bucket, meddle)) as proxy:
        to = bucket.to(prefix="out/", endpoint_url=proxy.url)
        plan_ = plan(api.url, {"s3": to}, source=INCREMENTAL)
        error = failed_run(plan_)
        assert "not known whether" in error.message
        assert "s3:ListBucket" in error.advice
        assert "not known whether" in failed_run(plan_).message
        blind = False
        report = run(plan_)
    assert report.records.written == 0
    assert len(bucket.names()) == 1
    check_clean(bucket, home, plan_, report)


def test_a_store_that_knows_no_conditions_is_written_to_without(bucket: Bucket) -> None:
    async def meddle(request: web.Request, passed: Any) -> web.Response:
        if "If-None-Match" in request.headers:
            return web.Response(status=501, text=xml("NotImplemented"))
        return await passed()

    with cursor_api(RECORDS) as api, serve(through(bucket, meddle)) as proxy:
        to = bucket.to(prefix="out/", endpoint_url=proxy.url)
        run(plan(api.url, {"s3": to}))
    assert len(bucket.names()) == 1


def test_an_object_that_is_there_already_is_not_overwritten_where_objects_are_added(
    bucket: Bucket, home: Path
) -> None:
    with cursor_api(RECORDS) as api:
        plan_ = plan(api.url, {"s3": bucket.to(key="{{substring(run_id, 0, 0)}}a.jsonl")})
        run(plan_)
        error = failed_run(plan_)
    assert "already" in error.message
    assert bucket.uploads() == []
    assert lines(bucket.read("a.jsonl")) == RECORDS


def xml(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>secret words</Message></Error>"


def refusing(status: int, code: str) -> Callable[[web.Request], Any]:
    return lambda _: answer(xml(code).encode(), status, {"Content-Type": "application/xml"})


@pytest.mark.parametrize(
    ("status", "code", "kind", "words", "advice"),
    [
        (403, "AccessDenied", CredentialsError, "may not do that", "s3:PutObject"),
        (403, "InvalidAccessKeyId", CredentialsError, "is not known", "access_key_id"),
        (403, "SignatureDoesNotMatch", CredentialsError, "not that of", "Copy"),
        (403, "RequestTimeTooSkewed", CredentialsError, "clock", "NTP"),
        (400, "ExpiredToken", CredentialsError, "expired", "session_token"),
        (400, "AuthorizationHeaderMalformed", DestinationError, "another region", "region"),
        (404, "NoSuchBucket", DestinationError, "no such bucket", "Create it"),
        (418, "Teapot", DestinationError, "Teapot", ""),
    ],
)
def test_refusals_of_the_store_are_explained(
    bucket: Bucket, status: int, code: str, kind: type[Exception], words: str, advice: str
) -> None:
    with cursor_api(RECORDS) as api, serve(refusing(status, code)) as store:
        to = bucket.to(key="a.jsonl", endpoint_url=store.url)
        error = failed_run(plan(api.url, {"s3": to}))
    assert isinstance(error, kind)
    assert words in error.message
    assert advice in error.advice


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore try twice only: its waits are its own."""
    monkeypatch.setattr("astrio.tasks.destinations.files.s3_client._ATTEMPTS", 2)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_store_that_is_overloaded_is_tried_again_and_then_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    quickly(monkeypatch)
    with cursor_api(RECORDS) as api, serve(refusing(503, code)) as store:
        to = bucket.to(key="a.jsonl", endpoint_url=store.url)
        error = failed_run(plan(api.url, {"s3": to}))
    assert isinstance(error, DestinationBusyError)
    assert len(store.requests) > 1


def test_a_store_that_cannot_be_reached_is_told(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    with cursor_api(RECORDS) as api:
        to = bucket.to(key="a.jsonl", endpoint_url=unused_url())
        error = failed_run(plan(api.url, {"s3": to}))
    assert isinstance(error, DestinationBusyError)


def test_missing_credentials_are_told(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with cursor_api(RECORDS) as api:
        to = {"bucket": bucket.name, "key": "a.jsonl", "endpoint_url": bucket.url}
        error = failed_run(plan(api.url, {"s3": to}))
    assert isinstance(error, CredentialsError)
    assert "AWS_ACCESS_KEY_ID" in error.advice


def test_a_dry_run_sends_nothing(bucket: Bucket) -> None:
    with cursor_api(RECORDS) as api, serve(lambda _: answer(status=500)) as store:
        to = bucket.to(prefix="out", endpoint_url=store.url)
        report = run(plan(api.url, {"s3": to}), dry_run=True)
    assert report.difference is not None
    assert report.difference.file is not None
    assert report.difference.file.name.startswith(f"s3://{bucket.name}/out/")
    assert report.difference.new == 25
    assert store.requests == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_at_random_points_lose_and_double_nothing(
    bucket: Bucket, home: Path
) -> None:
    chance = random.Random(1)
    records: list[dict[str, Any]] = [record(number) for number in range(60)]
    died = 0
    with cursor_api(records) as api:
        plan_ = plan(api.url, {"s3": bucket.to(prefix="out/")}, source=INCREMENTAL)
        while died < 100:
            died += killed(plan_, *somewhere(chance))
            if chance.random() < 0.5:
                records.append(late(len(records)))
        report = run(plan_)
    found = [each["id"] for key in bucket.names() for each in lines(bucket.read(key))]
    assert sorted(found) == list(range(len(records)))
    check_clean(bucket, home, plan_, report)
