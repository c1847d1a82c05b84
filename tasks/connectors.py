"""What a connector's module imports: everything that is meant for users' own Python."""

from __future__ import annotations

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.http.advice import RefusedError
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.declared import mapping_function
from astrio.tasks.python.context import SourceAnswer, SourceApi, SourceContext
from astrio.tasks.python.pushing import PushContext, Rejected, RejectRecordError

__all__ = [
    "MappingContext",
    "PushContext",
    "RecordRejectedError",
    "RefusedError",
    "RejectRecordError",
    "Rejected",
    "SourceAnswer",
    "SourceApi",
    "SourceContext",
    "mapping_function",
]
