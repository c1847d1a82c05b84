"""What a form of `push.to` that is no SQL database is, to the settings and to whoever opens it.

Free of SQLAlchemy, so that `check` stays quick. To add one, write a module in `targets` that holds
a subclass; its destination is imported when it is used.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.settings import Settings

if TYPE_CHECKING:
    from astrio.tasks.destinations.api.settings import Surroundings
    from astrio.tasks.destinations.base import Destination
    from astrio.tasks.destinations.settings import PushSettings, QuarantineSettings
    from astrio.tasks.difference import ChangedRow


class OtherTarget(Settings):
    """A place that is no SQL database; what is remembered of the stream lives in the ledger.

    Attributes:
        told_by: the keys by which it is told from the other forms: a mapping that has one of them
            is of this form.
        modes: the modes that mean something there, the usual one first.
        any_mode: whether another mode is read as the usual one, and not refused.
        whole: what a run writes is seen at its end, or not at all.
        tables: whether `push.table` may name the stream; else the place alone does.
        takes_back: whether what is committed in one transaction can be rolled back as a whole.
    """

    told_by: ClassVar[frozenset[str]]
    modes: ClassVar[tuple[str, ...]] = ("append",)
    any_mode: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    tables: ClassVar[bool] = True
    takes_back: ClassVar[bool] = True

    @classmethod
    def tells(cls, keys: frozenset[str]) -> bool:
        """Whether a mapping that has these keys (`snake_case`) is of this form."""
        return bool(cls.told_by & keys)

    @property
    @abstractmethod
    def reference(self) -> str:
        """What identifies the place to people, without secrets: a URL, an absolute path."""
        ...

    @property
    def stream(self) -> str:
        """What the stream is called where `push.table` does not say: one name for each place."""
        kind = sorted(self.told_by)[0]
        return f"{kind}_{sha256(self.reference.encode()).hexdigest()[:12]}"

    def connected(self) -> OtherTarget:
        """Return it with what is saved elsewhere read, anew for each run.

        Raises:
            AstrioError: see `astrio.blocks.store.reader`.
        """
        return self

    def within(self, beside: Surroundings) -> OtherTarget:  # noqa: ARG002 (for forms that need it)
        """Return it with what the file says elsewhere."""
        return self

    @abstractmethod
    def destination(
        self, push: PushSettings, integration: str, keeping: QuarantineSettings | None
    ) -> Destination:
        """Return the destination, not yet connected.

        Raises:
            ConfigurationError: a variable is not set, or what the place needs is not installed.
        """
        ...

    def dry_run(
        self,
        push: PushSettings,  # noqa: ARG002 (for forms that can tell)
        integration: str,  # noqa: ARG002
        keeping: QuarantineSettings | None,  # noqa: ARG002
        examples: list[ChangedRow],  # noqa: ARG002
    ) -> Destination:
        """Return a destination that tells what a run would do, and does nothing.

        Args:
            push: the settings.
            integration: name of the stream's integration.
            keeping: how long rejected records are kept.
            examples: takes the first changed rows.

        Raises:
            ConfigurationError: as `destination`; or there is no telling.
        """
        raise ConfigurationError(
            "A dry run needs a SQL database in push.to: what is sent there cannot be taken back.",
            advice="`astrio preview` shows the first records as they would be sent.",
        )

    @classmethod
    def completed(cls, push: Mapping[str, Any]) -> dict[str, Any]:
        """Return `push` as given, with what this form says of the table and of the mode."""
        more: dict[str, Any] = {"mode": cls.modes[0]} if cls.any_mode else {}
        return {"mode": cls.modes[0], **push, **more}
