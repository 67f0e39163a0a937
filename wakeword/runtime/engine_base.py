"""The half of an engine that is the same wherever its network runs: streams, steps, detections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError, UnknownModelError
from wakeword.runtime.batches import Groups, batches
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.detector import Detector, refractory_steps
from wakeword.runtime.results import StepResult, step_results
from wakeword.runtime.stream import Stream, StreamSettings, StreamState
from wakeword.runtime.thresholds import resolve_thresholds

MAX_BATCH = 128
"""Steps taken together: 3 MB of windows. With fewer, front end, network and detector push each
other out of the cache more often; with more, what they compute between is fresh memory each time.
"""


class Scored(NamedTuple):
    """What was found in the next steps of streams that take equally many.

    posteriors, smoothed (streams, steps, words of the bundle); heard: what each stream goes on
    with.
    """

    streams: list[Stream]
    posteriors: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    heard: Sequence[Any]


class EngineBase(ABC):
    """A bundle made ready to run, for any number of streams.

    Parameters
    ----------
    max_batch
        Steps of all streams that are taken together. However much audio waits, memory beyond
        the audio itself grows with this number only.
    """

    def __init__(self, bundle: Bundle, max_batch: int = MAX_BATCH) -> None:
        metadata = bundle.metadata
        self.bundle = bundle
        self.words = bundle.words
        self.sample_rate = metadata.frontend.sample_rate
        self.step_samples = metadata.step_samples
        self.window_frames = metadata.window_frames
        self.max_batch = max_batch
        self._every_column = tuple(range(len(self.words)))
        self.window_samples = (
            metadata.frontend.window_samples
            + (metadata.window_frames - 1) * metadata.frontend.hop_samples
        )

    @abstractmethod
    def _nothing_heard(self) -> Any:
        """What a new stream goes on with: silence before it."""

    @abstractmethod
    def _kind(self, stream: Stream) -> int:
        """Streams that differ in this cannot be taken together."""

    @abstractmethod
    def _score(self, groups: Groups) -> list[Scored]:
        """Score the next steps of all groups. Streams are as before, also where it raises."""

    def open_stream(
        self,
        sample_rate: int,
        channels: int = 1,
        thresholds: float | Mapping[str, float] | None = None,
        false_alarms_per_hour: float | None = None,
        words: Sequence[str] | None = None,
    ) -> Stream:
        """A new stream.

        Parameters
        ----------
        sample_rate
            Declared rate of its samples in Hz.
        thresholds
            One for all words, or by word; by default those of the operating points.
        false_alarms_per_hour
            Which operating points; by default the bundle's own choice.
        words
            Hear only these; by default all.

        Raises
        ------
        SampleRateError, AudioError
            An impossible rate or number of channels.
        ConfigError, UnknownModelError
            An impossible threshold or target; a word that the bundle does not hear.
        """
        columns = self._columns(words)
        chosen = tuple(self.words[c] for c in columns)
        metadata = self.bundle.metadata
        detector = Detector(
            resolve_thresholds(self.bundle, chosen, thresholds, false_alarms_per_hour),
            refractory_steps(metadata.detector, self.step_samples, self.sample_rate),
        )
        return Stream(self, StreamSettings(sample_rate, channels, chosen, columns, detector))

    def initial_state(self, settings: StreamSettings) -> StreamState:
        """The state of a new stream: silence before it, nothing detected."""
        return StreamState(self._nothing_heard(), settings.detector.initial_state())

    def step(self, streams: Sequence[Stream], max_steps: int | None = None) -> list[StepResult]:
        """Score every step that is due in ``streams``.

        What a stream gets does not depend on the others. If it raises, streams are as after
        their last complete batch.

        Parameters
        ----------
        max_steps
            Score at most so many steps of each stream now: one with a lot of audio waiting
            takes no more time than the others. By default all.

        Returns
        -------
        results
            Grouped by stream in the order given, steps in the order of time.
        """
        if any(s.engine is not self for s in streams):
            raise ConfigError("a stream can only be stepped by the engine that opened it")
        if max_steps is not None and max_steps < 1:
            raise ConfigError(f"max_steps = {max_steps}, but it must be at least 1")
        results: dict[Stream, list[StepResult]] = {stream: [] for stream in streams}
        for groups in batches(results, self.max_batch, max_steps, self._kind):
            for scored in self._score(groups):
                self._scatter(scored, results)
        return [result for group in results.values() for result in group]

    def _scatter(self, scored: Scored, results: dict[Stream, list[StepResult]]) -> None:
        """Detect, and only now move the streams on: a failure before changed nothing."""
        steps = scored.smoothed.shape[1]
        # Most streams stay below all thresholds: that is seen for the whole batch at once.
        peaks = scored.smoothed.max(axis=2).tolist()
        rows = zip(
            scored.streams, scored.posteriors, scored.smoothed, scored.heard, peaks, strict=True
        )
        for stream, posteriors, smoothed, heard, highest in rows:
            own_smoothed = self._columns_of(smoothed, stream)
            state, detector = stream.state.detector, stream.settings.detector
            crossings, detected = (
                detector.process(own_smoothed, state)
                if max(highest) >= detector.lowest
                else ((), detector.skip(steps, state))
            )
            stream.state = StreamState(heard, detected)
            stream.pending.drop(steps * self.step_samples)
            own = self._columns_of(posteriors, stream)
            found = (own, own_smoothed, highest)
            results[stream] += step_results(stream, state.steps, found, crossings)

    def _columns_of(self, values: NDArray[np.float32], stream: Stream) -> NDArray[np.float32]:
        """Those columns of ``values`` (steps, words of the bundle)."""
        columns = stream.settings.columns
        return values if columns == self._every_column else values[:, columns]

    def _columns(self, words: Sequence[str] | None) -> tuple[int, ...]:
        if words is None:
            return tuple(range(len(self.words)))
        for word in words:
            if word not in self.words:
                raise UnknownModelError(
                    f"model '{self.bundle.name}' does not hear '{word}'; "
                    f"it hears: {', '.join(self.words)}"
                )
        if not words:
            raise ConfigError("words is empty, but a stream must hear at least one word")
        return tuple(self.words.index(word) for word in dict.fromkeys(words))
