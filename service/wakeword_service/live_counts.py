"""Live use in memory, until the next second's write."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from wakeword_service.store import LiveKey, LiveSums

MAX_WAITING = 50_000
"""Sums by minute, model and word that may wait for a disk that is full; the oldest go first."""


class ModelId(NamedTuple):
    """One version of a model, and the seconds that a step of it stands for."""

    name: str
    sha256: str
    step_s: float


class LiveCounts:
    """Adds up, for any thread; :meth:`take` hands it over for writing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: Counter[tuple[ModelId, tuple[str, ...]]] = Counter()
        self._fired: Counter[tuple[ModelId, str, float]] = Counter()
        self._waiting: dict[LiveKey, LiveSums] = {}

    def heard(self, model: ModelId, words: tuple[str, ...], steps: int) -> None:
        """``steps`` more were heard for ``words``."""
        with self._lock:
            self._heard[model, words] += steps

    def fired(self, model: ModelId, firings: Iterable[tuple[str, float]]) -> None:
        """These words and thresholds fired."""
        with self._lock:
            self._fired.update((model, word, threshold) for word, threshold in firings)

    def take(self, minute: int) -> dict[LiveKey, LiveSums]:
        """Everything since the last time, as of ``minute``, and what was given back before."""
        with self._lock:
            heard, self._heard = self._heard, Counter()
            fired, self._fired = self._fired, Counter()
            sums, self._waiting = self._waiting, {}
        for (model, words), steps in heard.items():
            for word in words:
                _at(sums, minute, model, word).seconds += steps * model.step_s
        for (model, word, threshold), times in fired.items():
            there = _at(sums, minute, model, word).fired
            there[threshold] = there.get(threshold, 0) + times
        return sums

    def give_back(self, sums: dict[LiveKey, LiveSums]) -> int:
        """Keep what could not be written; returns how many sums had to be dropped."""
        with self._lock:
            assert not self._waiting, "one writer takes and gives back"
            dropped = max(0, len(sums) - MAX_WAITING)
            self._waiting = dict(list(sums.items())[dropped:])
        return dropped


def _at(sums: dict[LiveKey, LiveSums], minute: int, model: ModelId, word: str) -> LiveSums:
    return sums.setdefault(LiveKey(minute, model.name, model.sha256, word), LiveSums())
