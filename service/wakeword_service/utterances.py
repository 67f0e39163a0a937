"""Detections whose utterance is not over: the highest score may still come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from wakeword_service.peaks import Utterance

FORGOTTEN_S = 10.0
"""An utterance whose stream ended, or whose detection nobody recorded, is let go after this."""

Event = tuple[str, str, str, int]
"""Stream, model, word and end_sample of a detection."""


@dataclass
class _Open:
    utterance: Utterance
    model_sha256: str
    since_s: float
    detection: str | None = None


class Utterances:
    """Brings detections and the peaks of their utterances together, for any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: dict[Event, _Open] = {}

    def begin(self, event: Event, utterance: Utterance, model_sha256: str) -> None:
        """A word was detected; its utterance goes on."""
        with self._lock:
            self._open[event] = _Open(utterance, model_sha256, self._monotonic())

    def look(self, event: Event) -> tuple[float, str] | None:
        """The peak so far, and the version of the model."""
        with self._lock:
            found = self._open.get(event)
            return None if found is None else (found.utterance.peak, found.model_sha256)

    def name(self, event: Event, detection: str) -> None:
        """The utterance belongs to this detection, which waits to be written already."""
        with self._lock:
            if event in self._open:
                self._open[event].detection = detection

    def over(self) -> dict[str, float]:
        """Peaks of the utterances that have ended, by detection; each once."""
        now_s, peaks = self._monotonic(), {}
        with self._lock:
            for event, found in list(self._open.items()):
                old = now_s - found.since_s > FORGOTTEN_S
                ended = found.utterance.steps_left <= 0 and found.detection is not None
                if found.detection is not None and (ended or old):
                    peaks[found.detection] = found.utterance.peak
                if ended or old:
                    del self._open[event]
        return peaks
