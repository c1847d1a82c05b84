"""What the forms of `push.to` have in common that send requests."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import PrivateAttr

from astrio.blocks.secrets import resolve
from astrio.tasks.actions.rendering import Fill
from astrio.tasks.destinations.api.settings import Delivery, Surroundings
from astrio.tasks.destinations.other import OtherTarget

if TYPE_CHECKING:
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
    from astrio.tasks.difference import ChangedRow


class RequestTarget(OtherTarget):
    """A place that takes a request for each record, or for a batch."""

    modes: ClassVar = ("append", "upsert")
    takes_back: ClassVar = False

    _beside: Surroundings = PrivateAttr(default_factory=Surroundings)

    @abstractmethod
    def delivery(self, fill: Fill = resolve) -> Delivery:
        """Return what is sent, and how outcomes are told.

        Args:
            fill: returns what a reference stands for.

        Raises:
            ConfigurationError: a variable is not set, or an address cannot be used.
        """
        ...

    def within(self, beside: Surroundings) -> RequestTarget:
        """Return it with what the file says elsewhere."""
        copy = self.model_copy()
        copy._beside = beside
        return copy

    @property
    def beside(self) -> Surroundings:
        """What the file says elsewhere."""
        return self._beside

    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return what sends the requests."""
        from astrio.tasks.destinations.api.destination import ApiDestination

        return ApiDestination(push, integration, keeping)

    def dry_run(
        self,
        push: PushSettings,
        integration: str,
        keeping: QuarantineSettings | None,  # noqa: ARG002 (nothing is kept)
        examples: list[ChangedRow],
    ) -> Destination:
        """Return what tells which requests would be sent."""
        from astrio.tasks.destinations.api.dry import ApiDryRun

        return ApiDryRun(push, integration, examples)
