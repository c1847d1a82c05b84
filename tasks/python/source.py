"""`source: {python: module:function}`: a generator of the user's own in the place of an API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

from astrio.blocks.errors import AstrioError, ConnectorError, RecordRejectedError
from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient
from astrio.tasks.python.context import SourceContext
from astrio.tasks.python.gathering import Gathered, gathered
from astrio.tasks.python.telling import one_line, place_of
from astrio.tasks.selection import Selection

PAGE_SIZE: Final = 500


class PythonSource:
    """Yields the pages of a generator: async, or plain, which then runs in a thread of its own.

    It has no position that would survive a crash: the slice begins anew.
    """

    def __init__(
        self,
        function: Callable[[SourceContext], Any],
        context: SourceContext,
        select: Selection,
        *,
        limit: int | None = None,
        size: int = PAGE_SIZE,
    ) -> None:
        """Take the function, what it is called with, and what judges its records.

        Args:
            function: see `astrio.tasks.python.references.source_function`.
            context: without a session, which `pages` is given.
            select: the filter, the cursor and the ties.
            limit: end after so many records.
            size: records of a page, where they are yielded one by one.
        """
        self._function = function
        self._context = context
        self._select = select
        self._limit = limit
        self._size = size

    async def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:
        """Yield the pages; one is held back, since the last one tells why the source ended.

        Raises:
            AstrioError: what the session raised.
            ConnectorError: the function raised something else; the text tells where.
        """
        held: Page | None = None
        received, number = 0, 0
        async with aclosing(self._records(session)) as found:
            async for records, weight in found:
                number += 1
                left = None if self._limit is None else self._limit - received
                page = self._page(number, records[:left])
                page.size = weight
                received += page.fetched
                if held is not None:
                    yield held
                held = page
                if received == self._limit:
                    held.stop_reason = "limit"
                    break
        held = held or Page(1)
        held.stop_reason = held.stop_reason or "no_next"
        yield held

    async def _records(self, session: ApiClient | None) -> AsyncGenerator[Gathered, None]:
        try:
            items = self._function(replace(self._context, _session=session))
            async with aclosing(gathered(items, self._size)) as pages:
                async for page in pages:
                    yield page
        except RecordRejectedError as error:
            raise _told(error) from error
        except AstrioError:
            raise
        except (Exception, SystemExit) as error:
            raise _told(error) from error

    def _page(self, number: int, records: list[Any]) -> Page:
        chosen = self._select(records)
        return Page(
            number=number,
            records=chosen.records,
            fetched=len(records),
            filtered=len(records) - len(chosen.records) - len(chosen.rejects) - chosen.known,
            known=chosen.known,
            ties=chosen.ties,
            rejects=chosen.rejects,
            cursor=chosen.cursor,
        )


def _told(error: BaseException) -> ConnectorError:
    text = f": {one_line(str(error))}" if str(error) else ""
    place = place_of(error)
    where = f" ({place})" if place else ""
    return ConnectorError(
        f"The source raised {type(error).__name__}{text}{where}.",
        advice="What was committed is kept; mend the function, then run again.",
    )
