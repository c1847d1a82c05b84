"""Saving blocks as people do in Python, without any of astrio's checks."""

from __future__ import annotations

from typing import Any

from astrio.blocks.storable import Storable


def save_secret(name: str, value: Any) -> None:
    """Save Prefect's own Secret block."""
    from prefect.blocks.system import Secret

    kind: Any = Secret
    kind(value=value).save(name, overwrite=True)


def save_block(model: type[Storable], name: str, **data: Any) -> None:
    """Save the block of a plain model."""
    made(model, **data).save(name, overwrite=True)


def made(model: type[Storable], **data: Any) -> Any:
    """Return the block of a plain model, not yet saved."""
    from astrio.blocks.saved.base import block_class

    kind: Any = block_class(model)
    return kind(**data)
