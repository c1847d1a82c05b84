"""`push.to: {python: module:function}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.python.references import Reference

if TYPE_CHECKING:
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
    from astrio.tasks.difference import ChangedRow


class PythonTarget(OtherTarget):
    """`{python: module:function}`: a function of the user's own takes the records."""

    told_by: ClassVar = frozenset({"python"})
    modes: ClassVar = ("upsert",)

    python: Reference = Field(description="module:function of records and a context.")
    size: int = Field(500, ge=1, description="The most records that it is given at once.")
    rehearse: bool = Field(
        default=False,
        description="A dry run calls it too: it looks at `context.dry_run`, and changes nothing.",
    )

    @property
    def reference(self) -> str:
        """The reference as written."""
        return self.python

    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return what gives records to the function."""
        from astrio.tasks.destinations.handing.python import PythonDestination

        return PythonDestination(push, integration, keeping)

    def dry_run(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None,  # noqa: ARG002 (nothing is kept)
        examples: list[ChangedRow],  # noqa: ARG002 (nobody knows what is there)
    ) -> Destination:
        """Return what counts the records, and calls the function only if it knows of dry runs."""
        from astrio.tasks.destinations.handing.python import rehearsal

        return rehearsal(push, integration)
