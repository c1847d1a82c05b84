"""What is true of everything that is saved as a Prefect block; each one's test inherits this."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from tests.support.blocks import made, save_block

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.redaction import redact
from astrio.blocks.storable import Storable
from astrio.blocks.store import reader
from astrio.blocks.store.door import http_door
from astrio.blocks.store.form import form_of

SECRET = "blk-cAnary-7f2a90"


class BlockContract:
    """Set `model` to the plain model, and `data` to the fields of its form, `SECRET` in each."""

    model: ClassVar[type[Storable]]
    data: ClassVar[Mapping[str, Any]]

    @pytest.fixture
    def name(self, prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """A block saved as a person would in Python, under a name of its own."""
        monkeypatch.setenv("PREFECT_API_URL", prefect_api)
        reader.forget()
        name = f"block-{uuid4().hex[:12]}"
        save_block(self.model, name, **self.data)
        yield name
        reader.forget()

    def test_what_is_saved_is_read_over_http(self, name: str) -> None:
        with http_door() as door:
            document = reader.find(door, name, self.model)
        assert document is not None
        assert document.plain() == self.kept_as(name)

    def test_what_is_saved_is_read_by_its_name(self, name: str) -> None:
        assert reader.connection(name, self.model) == self.kept_as(name)

    def test_prefects_own_loading_gives_the_same(self, name: str) -> None:
        from astrio.blocks.saved.base import SavedBlock, block_class

        loaded = block_class(self.model).load(name)
        assert isinstance(loaded, SavedBlock)
        assert loaded.get() == self.kept_as(name)

    def test_its_secrets_stand_nowhere_in_prefects_database(self, name: str) -> None:
        database = next(Path(os.environ["ASTRIO_HOME"]).rglob("prefect.db"))
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            query = "SELECT count(*) FROM block_document WHERE name = ?"
            assert connection.execute(query, (name,)).fetchone() == (1,)
        for file in database.parent.iterdir():
            if file.is_file():
                assert SECRET.encode() not in file.read_bytes(), file

    def test_its_secrets_show_in_no_text(self, name: str) -> None:
        block = made(self.model, **self.data)
        plain = reader.connection(name, self.model)
        for text in (repr(block), str(block), repr(plain), str(plain), plain.model_dump_json()):
            assert SECRET not in text
        if SECRET in str(self.data):
            assert SECRET not in redact(f"it was {SECRET}")

    def test_every_field_of_its_form_is_described(self) -> None:
        from astrio.blocks.saved.base import block_class

        properties = block_class(self.model).model_json_schema()["properties"]
        assert set(properties) == {field.name for field in form_of(self.model)}
        assert all(each.get("description") for each in properties.values())

    def test_the_form_has_a_title_a_text_and_an_example(self) -> None:
        from astrio.blocks.saved.base import block_class

        block = block_class(self.model)
        assert block.get_block_type_slug() == self.model.slug()
        assert self.model.title in str(block.get_block_type_name())
        assert block.get_description() == self.model.summary
        assert block.get_code_example() == self.model.example

    def test_a_form_that_was_left_empty_is_told_field_by_field(self, name: str) -> None:
        required = [field.name for field in form_of(self.model) if field.required]
        if not required:
            pytest.skip("nothing must be filled in")
        asyncio.run(emptied(self.model, name))
        reader.forget()
        with pytest.raises(ConfigurationError) as caught:
            reader.connection(name, self.model)
        assert any(f"`{field}`" in caught.value.message for field in required)
        assert "astrio connections add" in caught.value.advice

    def kept_as(self, name: str) -> Storable:
        """Return the plain model; the tokens of an authentication belong to its saved name."""
        plain = self.expected()
        named = {"account": name} if "account" in type(plain).model_fields else {}
        return plain.model_copy(update=named)

    def expected(self) -> Storable:
        """Return the plain model of `data`."""
        raise NotImplementedError


async def emptied(model: type[Storable], name: str) -> None:
    """Save the form again with nothing in it, as the UI lets people do."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import BlockDocumentUpdate

    async with get_client() as client:
        document = await client.read_block_document_by_name(name, model.slug())
        update = BlockDocumentUpdate(
            block_schema_id=document.block_schema_id, data={}, merge_existing_data=False
        )
        await client.update_block_document(document.id, update)
