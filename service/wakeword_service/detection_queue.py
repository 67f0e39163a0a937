"""Detections on their way to the disk, with their clips and the peaks of their utterances."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wakeword_service.clips import Clips
from wakeword_service.store import DetectionRow, Store
from wakeword_service.utterances import Utterances

logger = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Beyond it the oldest are lost, and the log says so."""

MAX_WAITING_CLIP_BYTES = 64 * 1024 * 1024
"""Beyond it a detection is recorded without its clip."""


@dataclass(frozen=True)
class _Waiting:
    row: DetectionRow
    clip: NDArray[np.int16] | None
    sample_rate: int


class DetectionQueue:
    """Any thread puts, one at a time writes."""

    def __init__(self, store: Store, clips: Clips, utterances: Utterances) -> None:
        self._store = store
        self._clips = clips
        self._utterances = utterances
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._clip_bytes = 0
        self._peaks: dict[str, float] = {}

    def put(self, row: DetectionRow, clip: NDArray[np.int16] | None, sample_rate: int) -> None:
        """Let a detection wait, with its clip (n,) where that is to be kept."""
        with self._lock:
            if clip is not None and self._clip_bytes + clip.nbytes > MAX_WAITING_CLIP_BYTES:
                clip = None
            self._clip_bytes += 0 if clip is None else clip.nbytes
            self._waiting.append(_Waiting(row, clip, sample_rate))

    def write(self) -> None:
        """Write what waits; if that fails it waits on, but for the clips."""
        self._peaks.update(self._utterances.over())  # before the rows: theirs are among them
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._clip_bytes = 0
        if waiting:
            self._write_rows(waiting)
        if self._peaks:
            self._store.detections.set_peaks(self._peaks)
            self._peaks = {}

    def _write_rows(self, waiting: list[_Waiting]) -> None:
        try:
            for old in self._store.detections.add([self._with_clip(item) for item in waiting]):
                self._clips.remove(old)
        except Exception:
            with self._lock:
                kept = [replace(item, clip=None) for item in waiting] + self._waiting
                self._waiting = kept[-MAX_WAITING:]
            for item in waiting:
                self._clips.remove(item.row.id)
            if len(kept) > MAX_WAITING:
                logger.error("%d detections are lost", len(kept) - MAX_WAITING)
            raise

    def _with_clip(self, item: _Waiting) -> DetectionRow:
        if item.clip is None:
            return item.row
        size = self._clips.write(item.row.id, item.clip, item.sample_rate)
        return replace(item.row, clip_bytes=size)
