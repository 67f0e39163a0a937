"""What the service remembers: thresholds, detections, live use, calibrations, keys.

All SQL is in here. A method returns when what it wrote is on the disk.
"""

from __future__ import annotations

from pathlib import Path

from wakeword_service.store.calibrations import CalibrationRow, CalibrationTable
from wakeword_service.store.database import Database
from wakeword_service.store.detections import (
    DetectionFilter,
    DetectionRow,
    DetectionTable,
    Verdict,
)
from wakeword_service.store.errors import RevisionConflict, StorageFull, StoreError
from wakeword_service.store.keys import KeyTable
from wakeword_service.store.live import LiveKey, LiveSums, LiveTable
from wakeword_service.store.schema import MIGRATIONS
from wakeword_service.store.thresholds import ThresholdChange, ThresholdTable

STATE_FILE = "state.sqlite3"

__all__ = [
    "STATE_FILE",
    "CalibrationRow",
    "CalibrationTable",
    "DetectionFilter",
    "DetectionRow",
    "DetectionTable",
    "KeyTable",
    "LiveKey",
    "LiveSums",
    "LiveTable",
    "RevisionConflict",
    "StorageFull",
    "Store",
    "StoreError",
    "ThresholdChange",
    "ThresholdTable",
    "Verdict",
]


class Store:
    """The state in ``folder``, for any thread; other processes may use it at the same time.

    Raises
    ------
    StoreError
        It is damaged, of a newer version, or cannot be opened; StorageFull where the disk is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = Database(folder / STATE_FILE, MIGRATIONS)
        self.thresholds = ThresholdTable(self._database)
        self.detections = DetectionTable(self._database)
        self.live = LiveTable(self._database)
        self.calibrations = CalibrationTable(self._database)
        self.keys = KeyTable(self._database)

    def close(self) -> None:
        """Close the file; calls after it are StoreErrors."""
        self._database.close()
