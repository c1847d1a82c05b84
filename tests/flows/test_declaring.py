"""A declared flow is Prefect's own, but for the moment at which its form is made."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from pydantic import BaseModel, Field

from astrio.flows.declaring import declared

asked: list[str] = []


class Told(BaseModel):
    """Tells when somebody asks for its schema."""

    number: int = 0

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        asked.append(cls.__name__)
        return handler(core)


class Named(BaseModel):
    """Has a field of another name, of a type that JSON does not know, and one that is not set."""

    at: datetime = Field(alias="moment", default=datetime(2026, 1, 1, tzinfo=UTC))
    where: Path = Path("here")


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


async def named(told: Told, where: Named) -> Named:
    """Take models alone."""
    return where if told.number else Named()


def test_models_are_taken_as_they_are_and_what_stands_for_them_is_read() -> None:
    flows = declared(name="named")(named), flow(name="named")(named)
    told, where = Told(number=1), Named()
    assert flows[0].validate_parameters({"told": told, "where": where})["where"] is where
    ours, theirs = (
        each.validate_parameters({"told": {"number": 2}, "where": where}) for each in flows
    )
    assert ours == theirs == {"told": Told(number=2), "where": where}


def test_parameters_are_stored_as_prefect_stores_them() -> None:
    given = {"told": Named(moment=datetime(2026, 1, 2, tzinfo=UTC)), "many": (1, 2)}
    ours, theirs = declared(name="work")(work), flow(name="work")(work)
    assert ours.serialize_parameters(given) == theirs.serialize_parameters(given)
