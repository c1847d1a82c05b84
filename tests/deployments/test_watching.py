"""Changes of a folder's integration files, and of the Python that they refer to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.connectors import Write

from astrio.deployments.watching import Watch


def changed(watch: Watch) -> bool:
    """Look twice, since what is just being written is left alone."""
    watch.has_changed()
    return watch.has_changed()


@pytest.mark.parametrize(
    "change",
    [
        lambda write: write("crm.py", "x = 2  # longer\n"),
        lambda write: write("helpers/more.py", "x = 1\n"),
        lambda write: write("../shop.yaml", "name: shop\n"),
        lambda write: write("../integrations/shop.yaml", "name: shop\n"),
    ],
)
def test_integrations_and_the_modules_of_connectors_are_looked_at(
    write: Write, tmp_path: Path, change: Callable[[Write], Path]
) -> None:
    write("crm.py", "x = 1\n")
    write("helpers/__init__.py", "")
    watch = Watch(tmp_path)
    assert changed(watch)
    watch.taken()
    assert not changed(watch)
    change(write)
    assert changed(watch)
    watch.taken()
    assert not changed(watch)


def test_other_files_are_not_looked_at(write: Write, tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.taken()
    write("notes.txt", "x")
    write("../notes.txt", "x")
    assert not changed(watch)
