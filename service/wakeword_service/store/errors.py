"""What can go wrong with the state on disk."""

from __future__ import annotations

from wakeword.errors import WakewordError


class StoreError(WakewordError):
    """The state cannot be read or written: damaged, locked, of a newer version."""

    code = "storage"
    retry_after_s = 1


class StorageFull(StoreError):
    """The disk is full; what was written before is still there."""


class RevisionConflict(StoreError):
    """Somebody else has changed what this change was based on.

    found: the revision that is there now.
    """

    def __init__(self, found: int) -> None:
        super().__init__(f"the state is at revision {found}")
        self.found = found
