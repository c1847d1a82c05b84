"""A declared flow is Prefect's own, but for the moment at which its form is made."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from pydantic import BaseModel

from astrio.flows.declaring import declared

asked: list[str] = []


class Told(BaseModel):
    """Tells when somebody asks for its schema."""

    number: int = 0

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        asked.append(cls.__name__)
        return handler(core)


async def work(told: Told, many: tuple[int, ...] = ()) -> int:
    """Add up.

    Args:
        told: where to begin.
        many: what to add.
    """
    return told.number + sum(many)


def test_the_form_is_made_when_somebody_asks_for_it() -> None:
    asked.clear()
    declaring = declared(name="work")(work)
    assert not asked
    assert declaring.parameters.properties
    assert asked


def test_the_form_is_the_one_that_prefect_makes() -> None:
    assert declared(name="work")(work).parameters == flow(name="work")(work).parameters


def test_what_else_is_known_of_a_flow_is_the_same() -> None:
    ours, theirs = declared(name="work", retries=1)(work), flow(name="work", retries=1)(work)
    for name in ("name", "version", "description", "retries", "isasync", "_entrypoint"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert asyncio.run(ours.fn(Told(number=1), (2, 3))) == 6
