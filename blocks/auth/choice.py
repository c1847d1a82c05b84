"""The union of all authentications, for the connection model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astrio.blocks import auth
from astrio.blocks.auth.base import Auth
from astrio.blocks.settings import tagged_union

if TYPE_CHECKING:
    AnyAuth = Auth
else:
    AnyAuth = tagged_union(auth, Auth)
