"""Score peaks: at which thresholds would the detector have fired, and how high an utterance went.

The rule is the detector's own, for a fixed grid of thresholds beside the one in force. Thresholds
ascend, so that those which a score reaches are a number: how many. It costs next to nothing while
nobody says anything like a word: below the grid nothing is computed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime import Detection, StepResult, Stream
from wakeword.runtime.detector import refractory_steps
from wakeword_service.live_counts import ModelId

LOGITS = np.arange(-2.0, 9.25, 0.25)
GRID: tuple[float, ...] = tuple(float(t) for t in np.round(1.0 / (1.0 + np.exp(-LOGITS)), 6))
"""Thresholds, ascending: even steps of a quarter in the logit, from 0.119 to 0.9999."""

_NEVER = -(2**62)


@dataclass(eq=False)
class Utterance:
    """A detection whose highest score is still sought, until its refractory period is over."""

    peak: float
    steps_left: int


class PeakCounter:
    """Follows the scores of one stream, for one thread at a time.

    ``steps_heard`` only grows, and any thread may read it. The silence that ends a stream is
    scored too, but nothing was heard then.

    Parameters
    ----------
    first_step
        Steps before it were heard by the stream that this one continues: they move the detector
        on and count for nothing.
    """

    def __init__(self, stream: Stream, first_step: int = 0) -> None:
        engine = stream.engine
        self.words = stream.words
        self.model = ModelId(
            engine.bundle.name, engine.bundle.sha256, engine.step_samples / engine.sample_rate
        )
        self._step_samples = engine.step_samples
        refractory = refractory_steps(
            engine.bundle.metadata.detector, engine.step_samples, engine.sample_rate
        )
        self._steps_followed = max(1, refractory)
        self._refractory = refractory
        self._first_step = first_step
        self._steps = 0
        self._reached = [0] * len(self.words)
        """How many thresholds the last score of each word reached."""
        self._last = [[_NEVER] * len(GRID) for _ in self.words]
        """The step of the last firing, by word and threshold."""
        self.steps_heard = 0
        self._open: list[tuple[int, Utterance]] = []

    def process(self, results: Sequence[StepResult]) -> list[tuple[str, float]]:
        """Take the next steps; returns the word and threshold of each firing of the grid."""
        steps = len(results)
        beyond = results[-1].end_sample - results[0].stream.received_samples
        new = min(steps, results[-1].index + 1 - self._first_step)
        if new > 0:
            self.steps_heard += new if beyond <= 0 else max(0, new - self._silent(beyond))
        first, self._steps = self._steps, self._steps + steps
        below = not any(self._reached) and all(r.highest < GRID[0] for r in results)
        if below and not self._open:
            return []
        smoothed = np.stack([r.smoothed for r in results])
        self._follow(smoothed)
        if below:
            return []
        firings: list[tuple[str, float]] = []
        for step, scores in enumerate(smoothed.tolist(), start=first):
            for word, value in enumerate(scores):
                firings += self._cross(word, bisect_right(GRID, value), step)
        return firings

    def _cross(self, word: int, reached: int, step: int) -> list[tuple[str, float]]:
        """The thresholds that the score of a word crosses upwards, but for refractory ones."""
        before, self._reached[word] = self._reached[word], reached
        last, found = self._last[word], []
        for at in range(before, reached):
            if step - last[at] >= self._refractory:
                last[at] = step
                if step >= self._first_step:
                    found.append((self.words[word], GRID[at]))
        return found

    def opened(self, results: Sequence[StepResult]) -> list[tuple[Detection, Utterance]]:
        """An utterance for each detection in ``results``, which :meth:`process` has just taken."""
        found = []
        for at, result in enumerate(results):
            for detection in result.detections:
                word = self.words.index(detection.keyword)
                column = [float(r.smoothed[word]) for r in results[at : at + self._steps_followed]]
                utterance = Utterance(max(column), self._steps_followed - len(column))
                self._open.append((word, utterance))
                found.append((detection, utterance))
        return found

    def _silent(self, beyond_samples: int) -> int:
        return -(-beyond_samples // self._step_samples)

    def _follow(self, smoothed: NDArray[np.float32]) -> None:
        for word, utterance in self._open:
            column = smoothed[: utterance.steps_left, word]
            if len(column):
                utterance.peak = max(utterance.peak, float(column.max()))
                utterance.steps_left -= len(column)
        self._open = [entry for entry in self._open if entry[1].steps_left > 0]
