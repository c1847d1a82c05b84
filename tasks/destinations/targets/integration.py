"""`push.to: {integration: NAME}`: the records become the source of another integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from astrio.tasks.destinations.other import OtherTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
    from astrio.tasks.difference import ChangedRow


class IntegrationTarget(OtherTarget):
    """`{integration: NAME}`: its source is `{event: …}`, the name of the one that pushes to it."""

    told_by: ClassVar = frozenset({"integration"})
    modes: ClassVar = ("upsert",)

    integration: str = Field(
        pattern=r"^[a-z0-9_-]{1,64}$",
        description="The integration that takes the records over: its source is {event: …}.",
    )

    @property
    def reference(self) -> str:
        """The integration's name."""
        return self.integration

    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return what lets records wait for the other integration."""
        from astrio.tasks.destinations.handing.integration import HandingDestination

        return HandingDestination(push, integration, keeping)

    def dry_run(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None,  # noqa: ARG002 (nothing is kept)
        examples: list[ChangedRow],  # noqa: ARG002 (what waits is no row)
    ) -> Destination:
        """Return what counts the records; the other integration does not run."""
        from astrio.tasks.destinations.handing.rehearsing import Rehearsal

        return Rehearsal(push, integration)
