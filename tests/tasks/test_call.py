"""The task `call`, in a flow of one's own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prefect import flow
from prefect.blocks.system import Secret
from pydantic import SecretStr
from tests.support.server import answer, serve

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.actions.settings import Action
from astrio.tasks.call import Called, call


@pytest.mark.usefixtures("prefect_api")
async def test_a_flow_calls_an_api_and_gets_its_answer() -> None:
    with serve(lambda _: {"id": 7}) as server:

        @flow
        async def welcome(user: dict[str, Any]) -> Any:
            action = Action(url=f"{server.url}/users", body={"name": "{{user.name}}"})
            answered = await call(action, {"user": user})
            assert isinstance(answered, Called)
            return answered.json()

        assert await welcome({"name": "Ada"}) == {"id": 7}
    assert [each.json() for each in server.requests] == [{"name": "Ada"}]


@pytest.mark.usefixtures("prefect_api")
async def test_a_refusal_fails_the_task_with_what_the_api_said() -> None:
    with serve(lambda _: answer({"message": "no such user"}, 404)) as server:

        @flow
        async def welcome() -> None:
            await call({"url": server.url, "method": "DELETE"})

        with pytest.raises(ApiAnswerError, match="no such user"):
            await welcome()
        assert len(server.requests) == 1


@pytest.mark.usefixtures("prefect_api")
def test_a_saved_secret_that_is_rotated_is_used_by_the_next_call() -> None:
    with serve(lambda _: {}) as server:

        @flow
        async def greet() -> None:
            action = {"url": server.url, "text": "${secret:call-greeting}"}
            for value in ("first-greeting", "second-greeting"):
                await Secret(value=SecretStr(value)).asave("call-greeting", overwrite=True)
                await call(action)

        asyncio.run(greet())
    assert [each.body for each in server.requests] == [b"first-greeting", b"second-greeting"]
