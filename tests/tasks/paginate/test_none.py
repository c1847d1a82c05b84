from __future__ import annotations

from typing import Any, ClassVar

from aiohttp import web
from tests.contracts.paginator import PaginatorContract, page_of

from astrio.tasks.http.request import ApiRequest
from astrio.tasks.paginate.base import Stop
from astrio.tasks.paginate.none import NoPagination


class TestNone(PaginatorContract):
    settings: ClassVar = {"type": "none"}
    ends = "single_page"

    def serves(self, records: list[Any], size: int) -> Any:
        def all_of_them(_: web.Request) -> Any:
            return {"items": records}

        return all_of_them


def test_one_page_is_all() -> None:
    assert NoPagination().next(ApiRequest("GET", "/"), page_of({})) == Stop("single_page")
