from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from tests.support.reading import NO_RETRY, NOW, ids, paginator, read
from tests.support.server import answer, serve

from astrio.blocks.errors import ApiAnswerError, ApiUnavailableError, AstrioError
from astrio.tasks.export.plan import Export
from astrio.tasks.export.settings import ExportSettings
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.mapping.compile import compile_expression
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.read_plan import ReadPlan

EXPORT: dict[str, Any] = {
    "poll": {"path": "/jobs/{{job.id}}"},
    "done": "state == 'done'",
    "failed": "state == 'failed'",
    "download": "$.urls",
    "every": "0.001s",
    "cleanup": {"method": "DELETE", "path": "/jobs/{{job.id}}"},
}


def plan(limit: int | None = None, **more: Any) -> ReadPlan:
    settings = ExportSettings.model_validate({**EXPORT, **more})
    context = MappingContext(NOW)
    failed = None if settings.failed is None else compile_expression(settings.failed, context)
    export = Export(settings, compile_expression(settings.done, context), failed)
    first = ApiRequest("POST", "/jobs")
    made = paginator({"type": "none"})
    return ReadPlan(first, made, records="items", export=export, limit=limit)


def jobs(*polls: Any, files: int = 2, created: Any = None) -> Callable[[web.Request], Any]:
    """Jobs that answer the questions with `polls`, the last one for ever."""
    left = list(polls)

    def handler(request: web.Request) -> Any:
        if request.method == "POST":
            return {"id": "a/b"} if created is None else created
        if request.method == "DELETE":
            return answer(None, 204)
        if request.path.startswith("/files/"):
            start = int(request.path.rpartition("/")[2]) * 2
            return {"items": [{"id": start}, {"id": start + 1}]}
        told = left.pop(0) if len(left) > 1 else left[0]
        if told == "done":
            return {"state": "done", "urls": [f"/files/{n}" for n in range(files)]}
        return told() if callable(told) else told

    return handler


def methods(server: Any) -> list[str]:
    return [each.method for each in server.requests]


async def test_the_files_of_a_job_are_read_in_order_and_it_is_cleaned_up() -> None:
    with serve(jobs({"state": "busy"}, {"state": "busy"}, "done")) as server:
        pages = await read(server.url, plan())
        assert methods(server) == ["POST", *["GET"] * 5, "DELETE"]
        assert server.requests[-1].target == "/jobs/a%2Fb"
    assert ids(pages) == [0, 1, 2, 3]
    assert [(page.number, page.stop_reason) for page in pages] == [(1, None), (2, "single_page")]
    assert not any(page.resume for page in pages)


async def test_a_job_without_files_is_one_empty_page() -> None:
    with serve(jobs("done", files=0)) as server:
        pages = await read(server.url, plan())
    assert [(page.fetched, page.stop_reason) for page in pages] == [(0, "empty_page")]


async def test_a_limit_ends_the_files() -> None:
    with serve(jobs("done")) as server:
        pages = await read(server.url, plan(limit=1))
        assert methods(server)[-1] == "DELETE"
    assert (ids(pages), pages[-1].stop_reason) == ([0], "limit")


@pytest.mark.parametrize(
    ("poll", "more", "words"),
    [
        ({"state": "failed", "error": {"message": "no space"}}, {}, "has failed: no space"),
        ({"state": "failed", "why": "x y"}, {"error": "$.why"}, "has failed: x y"),
        ({"state": "failed"}, {}, "The job has failed."),
        ({"state": "done"}, {}, "no URL at $.urls"),
        ({"state": "done", "urls": [5]}, {}, "is a number, and"),
        ({"state": "done", "urls": ["${env:HOME}"]}, {}, "asks for a secret"),
        ({"state": "done", "urls": ["https://elsewhere.example/x"]}, {}, "elsewhere.example"),
        ({"state": "done"}, {"done": "state + 1 > 2"}, "cannot be evaluated"),
    ],
)
async def test_a_job_that_leads_nowhere_is_told_and_cleaned_up(
    poll: Any, more: dict[str, Any], words: str
) -> None:
    with serve(jobs(poll)) as server:
        with pytest.raises(ApiAnswerError) as caught:
            await read(server.url, plan(None, **more))
        assert methods(server)[-1] == "DELETE"
    assert words in str(caught.value)


async def test_a_job_that_takes_too_long_is_told_and_cleaned_up() -> None:
    with serve(jobs({"state": "busy"})) as server:
        with pytest.raises(ApiUnavailableError, match=r"not done after 0\.05s"):
            await read(server.url, plan(timeout="0.05s", longest_pause="0.01s"))
        assert methods(server)[-1] == "DELETE"


async def test_a_job_that_is_not_yet_known_is_waited_for() -> None:
    def unknown() -> Any:
        return answer({"message": "unknown"}, 404)

    with serve(jobs(unknown, unknown, "done")) as server:
        pages = await read(server.url, plan(pending_status=[404]))
    assert ids(pages) == [0, 1, 2, 3]
    with serve(jobs(unknown)) as server, pytest.raises(ApiAnswerError, match="404"):
        await read(server.url, plan())


async def test_an_answer_without_a_body_means_that_it_is_not_done() -> None:
    with serve(jobs(answer(b"", 202, headers={"Retry-After": "0"}), "done")) as server:
        assert ids(await read(server.url, plan())) == [0, 1, 2, 3]


async def test_addresses_may_stand_in_the_answer_that_created_the_job() -> None:
    created = answer({"links": {"self": "/jobs/1"}}, headers={"Location": "/jobs/2"})
    with serve(jobs("done", created=created)) as server:
        more = {
            "poll": {"url": "links.self"},
            "cleanup": {"method": "DELETE", "header": "location"},
        }
        assert ids(await read(server.url, plan(None, **more))) == [0, 1, 2, 3]
        assert [each.path for each in server.requests][1] == "/jobs/1"
        assert server.requests[-1].path == "/jobs/2"


@pytest.mark.parametrize("step", [{"url": "links.self"}, {"header": "Location"}])
async def test_an_address_that_is_missing_is_told(step: Any) -> None:
    with serve(jobs("done")) as server, pytest.raises(ApiAnswerError, match="has no URL at"):
        await read(server.url, plan(None, poll=step))


async def test_a_job_whose_data_asks_for_a_secret_is_refused() -> None:
    api = jobs("done", created={"id": "${env:HOME}"})
    with serve(api) as server, pytest.raises(AstrioError, match="machine's variables"):
        await read(server.url, plan(poll={"path": "/jobs", "params": {"id": "{{job.id}}"}}))


async def test_the_hosts_of_files_never_see_the_credentials() -> None:
    def files(_: web.Request) -> Any:
        return {"items": [{"id": 9}]}

    with serve(files) as bucket:
        host = bucket.url.removeprefix("http://")
        told = {"state": "done", "urls": [f"{bucket.url}/file?X-Signature=abc"]}
        with serve(jobs(told)) as server:
            pages = await read(
                server.url,
                plan(download_hosts=[host]),
                auth={"type": "bearer", "token": "canary"},
                headers={"X-Who": "canary"},
                allow_private_hosts=[host],
                retry=NO_RETRY,
            )
            assert "canary" in str(server.requests[0].headers)
        assert "canary" not in str(bucket.requests[0].headers)
    assert ids(pages) == [9]


async def test_a_private_host_of_files_is_refused_unless_the_connection_lists_it() -> None:
    told = {"state": "done", "urls": ["http://127.0.0.1:9/file"]}
    with serve(jobs(told)) as server, pytest.raises(AstrioError):
        await read(server.url, plan(download_hosts=["127.0.0.1:9"]), retry=NO_RETRY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll": {"path": "/a", "url": "b"}},
        {"poll": {}},
        {"every": "0s"},
        {"download": None},
        {"result": {"path": "/a"}},
    ],
)
def test_settings_that_contradict_themselves_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give"):
        ExportSettings.model_validate({**EXPORT, **wrong})
