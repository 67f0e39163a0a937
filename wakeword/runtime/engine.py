"""Scores many streams at once: gather what is due, run the network once, scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError, UnknownModelError
from wakeword.frontend import Frontend, FrontendState
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.detector import Detector, refractory_steps
from wakeword.runtime.results import StepResult, step_results
from wakeword.runtime.session import MAX_BATCH, Session
from wakeword.runtime.smoother import Smoother
from wakeword.runtime.stream import Stream, StreamSettings, StreamState
from wakeword.runtime.thresholds import resolve_thresholds


class _Advance(NamedTuple):
    """Streams with equally long front-end tails that take equally many steps."""

    streams: list[Stream]
    steps: int
    windows: NDArray[np.float32]
    """(streams * steps, window_frames, channels)"""
    frontend: FrontendState
    frames: NDArray[np.float32]
    """(streams, window_frames, channels): the last frames after these steps"""


class Engine:
    """A bundle made ready to run. It holds no state of any stream and never changes.

    Different threads may step different streams at the same time.

    Parameters
    ----------
    threads
        Threads of ONNX Runtime per call.
    max_batch
        Windows per ONNX Runtime call. However much audio waits, memory beyond the audio
        itself grows with this number only.

    Raises
    ------
    BundleError
        The network cannot be loaded or does not fit its metadata.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, max_batch: int = MAX_BATCH) -> None:
        metadata = bundle.metadata
        self.bundle = bundle
        self.words = bundle.words
        self.sample_rate = metadata.frontend.sample_rate
        self.step_samples = metadata.step_samples
        self.window_frames = metadata.window_frames
        self.max_batch = max_batch
        self.frontend = Frontend(metadata.frontend)
        self._session = Session(bundle, threads=threads, max_batch=max_batch)
        self._smoother = Smoother(metadata.smoother)
        self.window_samples = (
            metadata.frontend.window_samples
            + (metadata.window_frames - 1) * metadata.frontend.hop_samples
        )

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
        return StreamState(
            self.frontend.initial_state(),
            np.tile(self.frontend.silence(), (self.window_frames, 1)),
            self._smoother.initial_state(1, len(self.words))[0],
            settings.detector.initial_state(),
        )

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
        due = {stream: stream.due_steps for stream in streams}
        if max_steps is not None:
            due = {stream: min(steps, max_steps) for stream, steps in due.items()}
        while groups := _next(due, self.max_batch):
            advances = [self._gather(group, steps) for (_, steps), group in groups.items()]
            posteriors = self._session.run(np.concatenate([a.windows for a in advances]))
            at = 0
            for advance in advances:
                count = len(advance.windows)
                shape = (len(advance.streams), advance.steps, -1)
                found = posteriors[at : at + count, 1:].reshape(shape)
                for stream, new in zip(advance.streams, self._scatter(advance, found), strict=True):
                    results[stream] += new
                at += count
        return [result for group in results.values() for result in group]

    def _gather(self, streams: list[Stream], steps: int) -> _Advance:
        """Features of the next ``steps`` steps of streams with equally long tails."""
        samples = np.stack([s.pending.peek(steps * self.step_samples) for s in streams])
        before = FrontendState.stack([s.state.frontend for s in streams])
        features, after = self.frontend.process(samples, before)
        frames = np.concatenate([np.stack([s.state.frames for s in streams]), features], axis=1)
        tail, width = before.tail.shape[1], self.window_frames
        config = self.frontend.config
        new = [config.frames_after(tail + (i + 1) * self.step_samples) for i in range(steps)]
        views = np.lib.stride_tricks.sliding_window_view(frames, width, axis=1)
        windows = np.moveaxis(views[:, new], -1, 2)
        shape = (len(streams) * steps, width, config.channels)
        return _Advance(streams, steps, windows.reshape(shape), after, frames[:, -width:])

    def _scatter(
        self, advance: _Advance, posteriors: NDArray[np.float32]
    ) -> list[list[StepResult]]:
        """Smooth, detect, and only now move the streams on: a failure before changed nothing."""
        before = np.stack([s.state.smoother for s in advance.streams])
        smoothed, after = self._smoother.process(posteriors, before)
        results = []
        for i, (stream, frontend) in enumerate(
            zip(advance.streams, advance.frontend.split(), strict=True)
        ):
            columns = list(stream.settings.columns)
            own, own_smoothed = posteriors[i][:, columns], smoothed[i][:, columns]
            first = stream.scored_steps
            crossings, detector = stream.settings.detector.process(
                own_smoothed, stream.state.detector
            )
            # Copies, because a slice would keep the arrays of the whole batch alive.
            stream.state = StreamState(
                FrontendState(frontend.tail.copy(), frontend.smoothed.copy()),
                advance.frames[i].copy(),
                after[i].copy(),
                detector,
            )
            stream.pending.drop(advance.steps * self.step_samples)
            results.append(step_results(stream, first, own, own_smoothed, crossings))
        return results

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


def _next(due: dict[Stream, int], budget: int) -> dict[tuple[int, int], list[Stream]]:
    """Take at most ``budget`` steps off ``due``: streams by (tail samples, steps to take now).

    Equal tails and steps mean equally many frames: such streams share one front-end call.
    """
    groups: dict[tuple[int, int], list[Stream]] = {}
    for stream, left in due.items():
        steps = min(left, budget)
        if steps:
            tail = stream.state.frontend.tail.shape[1]
            groups.setdefault((tail, steps), []).append(stream)
            due[stream] = left - steps
            budget -= steps
    return groups
