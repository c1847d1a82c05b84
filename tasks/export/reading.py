"""Reading an export: the files of a job, one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from astrio.blocks.api import RestApi
from astrio.blocks.auth.none import NoAuth
from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.batch import Page
from astrio.tasks.export.job import Job
from astrio.tasks.export.plan import Export
from astrio.tasks.http.client import ApiClient
from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paths import compile_path
from astrio.tasks.read_plan import Reading, ReadPlan
from astrio.tasks.shapes import describe


class ExportReading:
    """One pass over an export: a job is created, waited for, its files read, and cleaned up.

    No position in it outlives the run: one that stops begins with a new job.
    """

    def __init__(
        self,
        client: ApiClient,
        plan: ReadPlan,
        export: Export,
        open_reading: Callable[[ApiClient, ReadPlan], Reading],
    ) -> None:
        """Take the client, what to read, what follows on the job, and what opens a file."""
        self._client = client
        self._plan = plan
        self._export = export
        self._open = open_reading
        self._doubt: str | None = None

    def in_doubt(self) -> str | None:
        """Return why what was read may not be all, None if nothing says so."""
        return self._doubt

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Yield the pages of all files, numbered through.

        Raises:
            ApiAnswerError: the job failed, or names no files.
            ApiUnavailableError: it took too long.
        """
        job = Job(self._client, self._export, self._plan.first)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(job.clean)
            await job.create()
            done = await job.wait()
            anonymous = ApiClient(_without_credentials(self._client.api, self._export))
            anonymous.stats = self._client.stats
            await stack.enter_async_context(anonymous)
            async with aclosing(self._files(job, done, anonymous)) as pages:
                async for page in pages:
                    yield page

    async def _files(self, job: Job, done: Any, anonymous: ApiClient) -> AsyncGenerator[Page, None]:
        number, left = self._plan.pages_before, self._plan.limit
        held: Page | None = None
        claimed: int | None = 0
        for request in self._requests(job, done):
            client = anonymous if self._is_elsewhere(request) else self._client
            part = replace(self._plan, export=None, first=request, pages_before=number, limit=left)
            reading = self._open(client, part)
            async with aclosing(reading.pages()) as pages:
                async for page in pages:
                    if held is not None:
                        held.stop_reason = held.claimed = None
                        yield held
                    number, held, page.resume = page.number, page, None
                    left = None if left is None else left - page.fetched
            assert held is not None
            if claimed is not None:
                claimed = None if held.claimed is None else claimed + held.claimed
            self._doubt = self._doubt or reading.in_doubt()
            if held.stop_reason == "limit":
                break
        last = held or Page(number + 1, stop_reason="empty_page")
        last.claimed = claimed
        yield last

    def _requests(self, job: Job, done: Any) -> Iterator[ApiRequest]:
        """Yield the requests of the files."""
        settings = self._export.settings
        if settings.result is not None:
            yield job.request(settings.result)
            return
        found = compile_path(settings.download or "$").values(done)
        urls = [url for each in found for url in (each if isinstance(each, list) else [each])]
        if not found:
            raise ApiAnswerError(
                f"The job is done, but there is no URL at {settings.download}.",
                advice="Correct source.export.download.",
            )
        for url in urls:
            if not isinstance(url, str) or "${" in url:
                shown = "asks for a secret" if isinstance(url, str) else f"is {describe(url)}"
                raise ApiAnswerError(
                    f"A file's URL at {settings.download} {shown}, and was not followed.",
                    advice="Correct source.export.download.",
                )
            request = ApiRequest("GET", url)
            if not self._is_elsewhere(request):
                self._client.check(request)
            yield request

    def _is_elsewhere(self, request: ApiRequest) -> bool:
        """Whether a file lies on a host that is asked without credentials."""
        place = urlsplit(request.url)
        return place.netloc.lower() in self._export.settings.download_hosts


def _without_credentials(api: RestApi, export: Export) -> RestApi:
    """Return the connection for the files' hosts, which learn nothing of who we are."""
    limits = api.limits.model_copy(update={"rate": "", "prefect_limit": ""})
    return api.model_copy(
        update={
            "auth": NoAuth(),
            "headers": {},
            "limits": limits,
            "allow_hosts": export.settings.download_hosts,
        }
    )
