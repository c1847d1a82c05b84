"""What is raised where others are at work on the same rows."""

from __future__ import annotations

from astrio.blocks.errors import DestinationBusyError


class LockedError(DestinationBusyError):
    """Another process is writing; waiting helps, where it would not on a full disk."""


class DeadlockError(LockedError):
    """Two transactions have waited for one another, and this one was ended: do it again."""
