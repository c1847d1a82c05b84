"""Sources written in Python: pages, ends, errors, and what the function is given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from tests.support.connectors import Write
from tests.support.reading import client
from tests.support.server import serve

from astrio.blocks.errors import (
    ApiAnswerError,
    AstrioError,
    ConfigurationError,
    ConnectorError,
    RecordRejectedError,
)
from astrio.blocks.redaction import redact
from astrio.tasks.answers import Answers
from astrio.tasks.batch import Page
from astrio.tasks.connectors import RefusedError, SourceContext
from astrio.tasks.http.client import ApiClient
from astrio.tasks.python.importing import PythonError
from astrio.tasks.python.references import resolve, source_function
from astrio.tasks.python.source import PythonSource
from astrio.tasks.selection import Selection
from astrio.tasks.tuning import PIECE_BYTES

NOW = datetime(2026, 1, 2, tzinfo=UTC)
Function = Callable[[SourceContext], Any]


async def pages_of(
    function: Function, session: ApiClient | None = None, **options: Any
) -> list[Page]:
    source = PythonSource(function, SourceContext(NOW), Selection(None, None, Answers()), **options)
    return [page async for page in source.pages(session)]


def pages(function: Function, **options: Any) -> list[Page]:
    return asyncio.run(pages_of(function, **options))


def failure(function: Function, kind: type[AstrioError] = ConnectorError) -> AstrioError:
    with pytest.raises(kind) as caught:
        pages(function)
    return caught.value


def test_single_records_are_gathered_and_lists_are_pages() -> None:
    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        yield {"id": 1}
        yield {"id": 2}
        yield {"id": 3}
        yield [{"id": 4}, {"id": 5}, {"id": 6}]
        yield ({"id": 7},)

    found = pages(items, size=2)
    assert [[each["id"] for each in page.records] for page in found] == [
        [1, 2],
        [3],
        [4, 5, 6],
        [7],
    ]
    assert [page.number for page in found] == [1, 2, 3, 4]
    assert [page.stop_reason for page in found] == [None, None, None, "no_next"]
    assert all(page.resume is None for page in found)


def test_a_source_without_records_gives_one_empty_page() -> None:
    [page] = pages(lambda _: iter(()))
    assert (page.number, page.fetched, page.stop_reason) == (1, 0, "no_next")


def test_one_dict_that_is_filled_anew_gives_records_of_their_own() -> None:
    def items(context: SourceContext) -> Iterator[dict[str, int]]:
        record: dict[str, int] = {}
        for number in range(3):
            record["id"] = number
            yield record

    [page] = pages(items)
    assert page.records == [{"id": 0}, {"id": 1}, {"id": 2}]


def test_a_plain_generator_runs_in_one_thread_of_its_own_to_its_end() -> None:
    threads: list[threading.Thread] = []

    def items(context: SourceContext) -> Iterator[dict[str, int]]:
        try:
            for number in range(5):
                threads.append(threading.current_thread())
                yield {"id": number}
        finally:
            threads.append(threading.current_thread())

    assert len(pages(items, size=1)) == 5
    assert len(threads) == 6
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()


def test_the_thread_of_a_plain_generator_sees_the_context_of_the_run() -> None:
    run: ContextVar[str] = ContextVar("run", default="none")
    seen: list[str] = []

    def items(context: SourceContext) -> Iterator[dict[str, int]]:
        try:
            seen.append(run.get())
            yield {"id": 1}
        finally:
            seen.append(run.get())

    async def within() -> None:
        run.set("mine")
        await pages_of(items)

    asyncio.run(within())
    assert seen == ["mine", "mine"]


@pytest.mark.parametrize("plain", [True, False])
def test_a_limit_ends_the_source_and_closes_it(plain: bool) -> None:
    closed: list[bool] = []

    def items(context: SourceContext) -> Iterator[dict[str, int]]:
        try:
            while True:
                yield {"id": 1}
        finally:
            closed.append(True)

    async def more(context: SourceContext) -> AsyncGenerator[Any, None]:
        try:
            while True:
                yield [{"id": 1}, {"id": 2}]
        finally:
            closed.append(True)

    found = pages(items if plain else more, size=2, limit=5)
    assert [page.fetched for page in found] == [2, 2, 1]
    assert found[-1].stop_reason == "limit"
    assert closed == [True]


async def test_a_source_that_is_left_early_is_closed() -> None:
    closed: list[bool] = []

    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        try:
            while True:
                yield [{"id": 1}]
        finally:
            closed.append(True)

    source = PythonSource(items, SourceContext(NOW), Selection(None, None, Answers()))
    async with aclosing(source.pages(None)) as found:
        await anext(found)
    assert closed == [True]


def test_an_exception_is_told_with_its_place_and_without_secrets(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_KEY", "hunter2-hunter2")
    write("crm.py", "def items(context):\n    key = context.secret('${env:CRM_KEY}')\n"
          "    yield {'id': 1}\n    raise OSError(f'refused {key}')\n")  # fmt: skip
    error = failure(resolve("crm:items").value)
    assert error.message == ("The source raised OSError: refused *** (connectors/crm.py, line 4).")
    assert error.kind == "connector"


@pytest.mark.parametrize("raised", [SystemExit(2), RecordRejectedError("no"), KeyError()])
def test_whatever_a_source_raises_fails_the_run_with_its_kind(raised: BaseException) -> None:
    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        yield {}
        raise raised

    assert f"The source raised {type(raised).__name__}" in failure(items).message


def test_an_error_of_astrio_stays_what_it_is() -> None:
    def items(context: SourceContext) -> Iterator[Any]:
        raise ApiAnswerError("no such list")
        yield {}

    assert failure(items, ApiAnswerError).message == "no such list"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (iter(["text"]), "The source yielded text."),
        (iter([[1], 7]), "The source yielded a number."),
        ({"id": 1}, "The source returned an object."),
        ("text", "The source returned text."),
        (None, "The source returned null."),
    ],
)
def test_what_is_no_record_is_refused(given: Any, told: str) -> None:
    error = failure(lambda _: given)
    assert error.message == told
    assert error.advice == "Yield records (dicts), or lists of records."


def test_a_request_has_the_sessions_authentication_and_decoding() -> None:
    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        first = await context.api.get("/items", params={"page": 1}, headers={"X-A": "b"})
        assert (first.status, first.url.endswith("/items?page=1")) == (200, True)
        yield first.body["items"]
        second = await context.api.request("POST", "/search", json={"q": "a"})
        yield second.body

    async def all_of_them() -> list[Page]:
        auth = {"type": "api_key", "header": "X-Key", "value": "k-1-k-1"}
        async with client(server.url, auth=auth) as session:
            return await pages_of(items, session)

    paths = {"/items": lambda _: {"items": [{"id": 1}]}, "/search": lambda _: [{"id": 2}]}
    with serve(paths) as server:
        found = asyncio.run(all_of_them())
    assert [page.records for page in found] == [[{"id": 1}], [{"id": 2}]]
    assert [request.headers["X-Key"] for request in server.requests] == ["k-1-k-1"] * 2
    assert server.requests[0].headers["X-A"] == "b"


def test_a_refusal_is_an_error_with_its_status_that_the_source_may_catch() -> None:
    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        try:
            await context.api.get("/gone")
        except RefusedError as error:
            yield {"status": error.status}

    async def all_of_them() -> list[Page]:
        async with client(server.url) as session:
            return await pages_of(items, session)

    with serve({"/gone": lambda _: web.Response(status=404)}) as server:
        [page] = asyncio.run(all_of_them())
    assert page.records == [{"status": 404}]


def test_data_cannot_ask_for_a_variable_of_the_machine() -> None:
    async def items(context: SourceContext) -> AsyncGenerator[Any, None]:
        yield (await context.api.get("/items", params={"cursor": "${env:HOME}"})).body

    async def all_of_them() -> list[Page]:
        async with client(server.url) as session:
            return await pages_of(items, session)

    with serve({"/items": lambda _: []}) as server:
        with pytest.raises(ApiAnswerError, match="asks for one of this machine's variables"):
            asyncio.run(all_of_them())
        assert not server.requests


def test_without_an_api_in_the_file_there_is_none() -> None:
    with pytest.raises(ConfigurationError, match=r"the file has no `source.api`"):
        _ = SourceContext(NOW).api


def test_a_secret_is_read_by_its_reference_and_masked_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notes: list[str] = []
    context = SourceContext(NOW, _write=notes.append)
    monkeypatch.setenv("CRM_KEY", "hunter3-hunter3")
    assert context.secret("${env:CRM_KEY}") == "hunter3-hunter3"
    assert redact("it is hunter3-hunter3") == "it is ***"
    context.note("got hunter3-hunter3")
    assert notes == ["got ***"]
    with pytest.raises(ConfigurationError, match="takes a reference"):
        context.secret("hunter3-hunter3")
    with pytest.raises(ConfigurationError, match="NO_SUCH"):
        context.secret("${env:NO_SUCH}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("items = 1", "`crm:items` is no function."),
        ("async def items(context): ...", "is async, but yields nothing"),
        ("def items():\n    yield {}", "must take the context: async def items(context) "
         "(connectors/crm.py, line 1)."),
    ],
)  # fmt: skip
def test_what_is_no_source_is_refused_before_a_run(write: Write, text: str, told: str) -> None:
    write("crm.py", text)
    with pytest.raises(PythonError) as caught:
        source_function(resolve("crm:items"))
    assert told in caught.value.message


def test_large_records_make_short_pages() -> None:
    def source(_: SourceContext) -> Iterator[Any]:
        for number in range(10):
            yield {"id": number, "text": "x" * (PIECE_BYTES // 2)}
        yield [{"id": 10, "text": "x" * PIECE_BYTES}]

    found = pages(source)
    assert [page.fetched for page in found] == [2, 2, 2, 2, 2, 1]
    assert all(PIECE_BYTES < page.size < PIECE_BYTES + 100 for page in found)
