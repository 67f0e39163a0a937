"""Kept sounds of detections: files with names of our own, bounded in age and space."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.wav import write_wav
from wakeword_service.store import Store

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{16}\.wav")


class Clips:
    """The folder of clips, in step with the table of detections.

    Parameters
    ----------
    retention_s
        Older clips go.
    max_bytes
        Of more than this altogether the oldest go.
    """

    def __init__(self, store: Store, retention_s: float, max_bytes: int) -> None:
        self._store = store
        self._folder = store.folder / "clips"
        self._retention_s = retention_s
        self._max_bytes = max_bytes

    def path(self, detection: str) -> Path:
        """Where the clip of a detection lies, if it has one."""
        return self._folder / f"{detection}.wav"

    def write(self, detection: str, samples: NDArray[np.int16], sample_rate: int) -> int:
        """Keep a clip; returns its bytes, 0 where it could not be written (the log says why)."""
        path = self.path(detection)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_wav(path, samples.astype(np.float32) / np.float32(32768.0), sample_rate)
            path.chmod(0o600)
            return path.stat().st_size
        except OSError as why:
            logger.error("the clip of a detection could not be kept: %s", why)
            return 0

    def remove(self, detection: str) -> None:
        """Delete a clip, if it is there."""
        with suppress(OSError):
            self.path(detection).unlink(missing_ok=True)

    def tidy(self, now_s: float) -> None:
        """Delete clips that are too old, and the oldest of too many bytes."""
        kept, total, gone = self._store.detections.clips(), 0, []
        for detection, when_s, size in reversed(kept):
            total += size
            if total > self._max_bytes or when_s < now_s - self._retention_s:
                gone.append(detection)
        for detection in gone:
            self.remove(detection)
        if gone:
            self._store.detections.drop_clips(gone)

    def sweep(self) -> None:
        """Delete files without a detection, and unfinished ones: what a crash leaves behind."""
        if not self._folder.is_dir():
            return
        known = {f"{detection}.wav" for detection, _, _ in self._store.detections.clips()}
        for path in self._folder.iterdir():
            stray = _NAME.fullmatch(path.name) is not None and path.name not in known
            if stray or path.name.endswith(".tmp"):
                with suppress(OSError):
                    path.unlink()
