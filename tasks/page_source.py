"""Where a run's pages come from, if no API is read for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from astrio.tasks.batch import Page
from astrio.tasks.http.client import ApiClient


class PageSource(Protocol):
    """Yields pages of source records: from the user's Python, from what was kept, from events.

    What it yields is mapped, validated, written and accounted for like an API's pages. The run
    may end it between two pages, or cancel it while it waits for one.
    """

    def pages(self, session: ApiClient | None) -> AsyncGenerator[Page, None]:
        """Yield the pages; an empty source yields one empty page.

        Args:
            session: the open session of `source.api`, None if the file names no API.

        Raises:
            AstrioError: a page could not be had.
        """
        ...
