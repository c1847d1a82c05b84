"""Svix: Standard Webhooks under headers of its own (docs.svix.com/receiving)."""

from __future__ import annotations

from typing import ClassVar, Literal

from astrio.blocks.webhooks.standard import StandardScheme


class Svix(StandardScheme):
    """`scheme: svix`: `svix-id`, `svix-timestamp` and `svix-signature`."""

    prefix: ClassVar[str] = "svix"

    type: Literal["svix"] = "svix"
