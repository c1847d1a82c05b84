"""What a connector's module imports: everything that is meant for users' own Python."""

from __future__ import annotations

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.declared import mapping_function

__all__ = ["MappingContext", "RecordRejectedError", "mapping_function"]
