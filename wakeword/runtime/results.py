"""What the engine says about one step of one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wakeword.runtime.detector import Crossing, Detection

if TYPE_CHECKING:
    from wakeword.runtime.stream import Stream


@dataclass(frozen=True, eq=False, slots=True)
class StepResult:
    """One scored step of one stream.

    end_sample counts samples at the model's rate; posteriors and smoothed (words,) are in the
    order of ``stream.words``; ``smoothed`` is what was compared with the thresholds. No value in
    it lies above ``highest``.
    """

    stream: Stream
    index: int
    end_sample: int
    posteriors: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    detections: tuple[Detection, ...]
    highest: float = 1.0

    @property
    def end_s(self) -> float:
        """End of the step in seconds from the start of the stream."""
        return self.end_sample / self.stream.engine.sample_rate

    @property
    def input_end_sample(self) -> int:
        """End of the step in samples of the input, at the rate that the stream was opened with."""
        engine_rate, rate = self.stream.engine.sample_rate, self.stream.settings.sample_rate
        return round(self.end_sample * rate / engine_rate)


def step_results(
    stream: Stream,
    first: int,
    found: tuple[NDArray[np.float32], NDArray[np.float32], list[float]],
    crossings: Sequence[Crossing],
) -> list[StepResult]:
    """Results of steps ``first``, ``first + 1``, ... from posteriors and smoothed (steps, words),
    and what no smoothed value of each step lies above."""
    detections: dict[int, tuple[Detection, ...]] = {}
    for crossing in crossings:
        detection = _detection(stream, crossing)
        detections[crossing.step] = (*detections.get(crossing.step, ()), detection)
    step_samples = stream.engine.step_samples
    posteriors, smoothed, highest = found
    return [
        StepResult(
            stream, first + i, (first + i + 1) * step_samples, posteriors[i], smoothed[i],
            detections.get(first + i, ()), highest[i],
        )
        for i in range(len(highest))
    ]  # fmt: skip


def _detection(stream: Stream, crossing: Crossing) -> Detection:
    engine = stream.engine
    end = (crossing.step + 1) * engine.step_samples
    return Detection(
        keyword=stream.words[crossing.word],
        score=crossing.score,
        threshold=float(stream.settings.detector.thresholds[crossing.word]),
        start_sample=max(0, end - engine.window_samples),
        end_sample=min(end, stream.received_samples),
        sample_rate=engine.sample_rate,
        model=engine.bundle.name,
    )
