"""The union of all paginators, for the integration model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astrio.blocks.settings import tagged_union
from astrio.tasks import paginate
from astrio.tasks.paginate.base import Paginator

if TYPE_CHECKING:
    AnyPaginator = Paginator
else:
    AnyPaginator = tagged_union(paginate, Paginator)
