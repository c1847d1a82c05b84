from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from astrio.tasks.collecting import rare_collections, starting
from astrio.tasks.tuning import GC_OBJECTS, GC_OBJECTS_AT_START


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    found = gc.get_threshold()
    yield
    gc.set_threshold(*found)


def test_collections_are_rare_within_the_block_only() -> None:
    gc.set_threshold(700, 10, 10)
    with rare_collections():
        assert gc.get_threshold()[0] == GC_OBJECTS
    assert gc.get_threshold() == (700, 10, 10)


def test_the_last_of_several_runs_restores_what_the_first_one_found() -> None:
    gc.set_threshold(700, 10, 10)
    first, second = rare_collections(), rare_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] == GC_OBJECTS
    second.__exit__(None, None, None)
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [0, GC_OBJECTS * 2])
def test_what_the_process_has_chosen_stays(own: int) -> None:
    gc.set_threshold(own, 10, 10)
    with rare_collections():
        assert gc.get_threshold()[0] == own


def test_there_are_hardly_any_collections_until_records_stream() -> None:
    gc.set_threshold(700, 10, 10)
    with starting():
        assert gc.get_threshold()[0] == GC_OBJECTS_AT_START
        with rare_collections():
            assert gc.get_threshold()[0] == GC_OBJECTS
            assert gc.get_freeze_count()
        assert gc.get_threshold() == (700, 10, 10)
    assert not gc.get_freeze_count()


def test_a_start_that_no_stream_follows_leaves_everything_as_it_was() -> None:
    gc.set_threshold(700, 10, 10)
    with starting(), starting():
        assert gc.get_threshold()[0] == GC_OBJECTS_AT_START
    assert gc.get_threshold() == (700, 10, 10)
    assert not gc.get_freeze_count()
