"""`emit`: a durable row, or a part of the application's own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from tests.tasks.webhooks.outbox.delivering import rows

from astrio.blocks.errors import ConfigurationError
from astrio.tasks.emitting import emit

COUNT = "SELECT count(*) FROM _astrio_outbox"


@pytest.fixture(autouse=True)
def _own_home(home: object) -> None:
    """Each test has a home of its own."""


@pytest.fixture
def application(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The application's database, which is the ledger's too."""
    monkeypatch.setenv("ASTRIO_LEDGER_URL", postgres_url)
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id int)"))
    yield engine
    engine.dispose()


def test_an_event_exists_if_the_transaction_is_committed(application: Engine) -> None:
    with Session(application) as session, session.begin():
        session.execute(text("INSERT INTO orders VALUES (1)"))
        emit("order.created", {"id": 1}, within=session)
    assert rows(COUNT) == [(1,)]


def test_no_event_exists_if_the_transaction_is_rolled_back(application: Engine) -> None:
    with application.connect() as connection:
        connection.execute(text("INSERT INTO orders VALUES (1)"))
        emit("order.created", {"id": 1}, within=connection)
        connection.rollback()
    assert rows(COUNT) == [(0,)]


def test_an_asynchronous_session_is_joined_too(application: Engine, postgres_url: str) -> None:
    async def run() -> None:
        engine = create_async_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
        async with AsyncSession(engine) as session, session.begin():
            await session.run_sync(lambda each: emit("order.created", {"id": 1}, within=each))
        await engine.dispose()

    asyncio.run(run())
    assert rows(COUNT) == [(1,)]


def test_a_transaction_of_another_database_is_refused(postgres_url: str) -> None:
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with (
        engine.begin() as connection,
        pytest.raises(ConfigurationError, match="not one of the ledger's") as caught,
    ):
        emit("order.created", {}, within=connection)
    assert "ASTRIO_LEDGER_URL" in caught.value.advice


def test_a_transaction_of_sqlite_is_refused() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection, pytest.raises(ConfigurationError, match="not one of"):
        emit("order.created", {}, within=connection)


@pytest.mark.parametrize("name", ["", "a b", "user.", ".user", "a" * 129, "user.créé", "x\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no name of an event"):
        emit(name, {})


@pytest.mark.parametrize(
    ("payload", "match"),
    [
        ("text", "object or list"),
        (None, "object or list"),
        ({"a": object()}, "cannot be written"),
        ({"a": "x" * 300_000}, "300008 bytes"),
    ],
)
def test_what_is_no_payload_is_refused(payload: object, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        emit("user.created", payload)


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="1 to 256 characters"):
        emit("user.created", {}, key)
    with pytest.raises(ConfigurationError, match="1 to 256 characters"):
        emit("user.created", {}, order_key=key)
