"""Prefect's UI is told of every astrio block."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import get_client

from astrio.blocks.saved.classes import ALL
from astrio.blocks.saved.saving import register_all


@pytest.mark.usefixtures("prefect_api")
async def test_a_server_that_lacks_types_knows_all_of_them_afterwards() -> None:
    async with get_client() as client:
        for slug in ("astrio-digest", "astrio-webhook-target"):  # one that others hold, one alone
            await client.delete_block_type((await client.read_block_type_by_slug(slug)).id)
        await register_all()
        known = {each.slug for each in await client.read_block_types()}
        assert {each.get_block_type_slug() for each in ALL} <= known
        for each in ALL:
            checksum = each._calculate_schema_checksum()
            assert await client.read_block_schema_by_checksum(
                checksum, each.get_block_schema_version()
            )
