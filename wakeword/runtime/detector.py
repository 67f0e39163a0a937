"""From smoothed posteriors to events: one utterance, one detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.runtime.sections import DetectorConfig

_NEVER = -(2**62)


@dataclass(frozen=True)
class Detection:
    """A word was heard.

    Times count samples of the stream at ``sample_rate``, the model's (16 kHz), whatever rate
    the input has; ``start_s`` and ``end_s`` are the same in seconds. ``end_sample`` is the end
    of the step that crossed the threshold (for a word that ends with its file, the end of the
    file): usually 0 to 300 ms after the end of the word. ``start_sample`` is where the window
    of that step begins: the word lies between them.
    """

    keyword: str
    score: float
    threshold: float
    start_sample: int
    end_sample: int
    sample_rate: int
    model: str

    @property
    def start_s(self) -> float:
        """Begin in seconds from the start of the stream."""
        return self.start_sample / self.sample_rate

    @property
    def end_s(self) -> float:
        """End in seconds from the start of the stream."""
        return self.end_sample / self.sample_rate


@dataclass(frozen=True)
class Crossing:
    """A detection as the detector sees it: which step (from 0), which word, which score."""

    step: int
    word: int
    score: float


@dataclass(frozen=True)
class DetectorState:
    """steps seen; above (words,): the last step was; last (words,): step of the last event."""

    steps: int
    above: NDArray[np.bool_]
    last: NDArray[np.int64]


class Detector:
    """Threshold and refractory period, for the words of one stream.

    A detection is an upward crossing: this step at or above the threshold, the step before
    below it (before the first step counts as below), at least ``refractory_steps`` after the
    last detection of the same word. A crossing inside that period belongs to the same
    utterance and is ignored. Posteriors are float32, thresholds float64.

    Raises
    ------
    ConfigError
        A threshold outside (0, 1) or a negative period.
    """

    def __init__(self, thresholds: Sequence[float], refractory_steps: int) -> None:
        self.thresholds = np.array(thresholds, np.float64)
        self.refractory_steps = refractory_steps
        for value in self.thresholds:
            check_threshold(float(value))
        if refractory_steps < 0:
            raise ConfigError(f"refractory_steps = {refractory_steps}, but it must be at least 0")
        self.lowest = float(self.thresholds.min(initial=1.0))
        self._none_above = np.zeros(len(self.thresholds), np.bool_)

    def initial_state(self) -> DetectorState:
        """The state of a new stream."""
        words = len(self.thresholds)
        return DetectorState(0, np.zeros(words, np.bool_), np.full(words, _NEVER, np.int64))

    def process(
        self, smoothed: NDArray[np.float32], state: DetectorState
    ) -> tuple[list[Crossing], DetectorState]:
        """Find the detections in the next steps.

        Parameters
        ----------
        smoothed (steps, words)
        state
            What the previous call returned, or :meth:`initial_state`.

        Returns
        -------
        crossings, state
            In the order of time; ``Crossing.step`` counts from the start of the stream.
        """
        if smoothed.ndim != 2 or smoothed.shape[1] != len(self.thresholds):
            raise ConfigError(
                f"smoothed posteriors must have shape (steps, {len(self.thresholds)}), "
                f"not {smoothed.shape}"
            )
        if len(smoothed) == 0:
            return [], state
        above = smoothed >= self.thresholds
        rising = above & ~np.concatenate([state.above[None], above[:-1]])
        last, crossings = state.last, []
        if rising.any():
            last = last.copy()
            for at, word in np.argwhere(rising):
                step = state.steps + int(at)
                if step - last[word] >= self.refractory_steps:
                    last[word] = step
                    crossings.append(Crossing(step, int(word), float(smoothed[at, word])))
        return crossings, DetectorState(state.steps + len(smoothed), above[-1], last)

    def skip(self, steps: int, state: DetectorState) -> DetectorState:
        """As :meth:`process` for one or more steps that all lie below ``lowest``, but cheaper.

        ``lowest`` is the lowest of the thresholds: a caller with many streams compares all at once.
        """
        return DetectorState(state.steps + steps, self._none_above, state.last)


def refractory_steps(config: DetectorConfig, step_samples: int, sample_rate: int) -> int:
    """The refractory period in whole steps, rounded up."""
    return -(-round(config.refractory_s * sample_rate) // step_samples)


def check_threshold(value: float, name: str = "threshold") -> float:
    """Return ``value`` if it lies in (0, 1); otherwise ConfigError."""
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{name} = {value:g}, but it must be between 0 and 1, both excluded")
    return value
