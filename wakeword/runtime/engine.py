"""Scores many streams at once: gather what is due, run the network once, scatter."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError, UnknownModelError
from wakeword.frontend import Frontend, FrontendState
from wakeword.runtime.batches import Groups, batches
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.detector import Detector, refractory_steps
from wakeword.runtime.results import StepResult, step_results
from wakeword.runtime.session import CALL_WINDOWS, Session
from wakeword.runtime.smoother import Smoother
from wakeword.runtime.stream import Stream, StreamSettings, StreamState
from wakeword.runtime.thresholds import resolve_thresholds

MAX_BATCH = 128
"""Steps taken together: 3 MB of windows. With fewer, front end, network and detector push each
other out of the cache more often; with more, what they compute between is fresh memory each time.
"""


class _Advance(NamedTuple):
    """Streams of one group with the windows of their next steps."""

    streams: list[Stream]
    windows: NDArray[np.float32]
    """(streams, steps, window_frames, channels)"""
    frontend: FrontendState
    """The state after these steps."""


class Engine:
    """A bundle made ready to run. It holds no state of any stream and never changes.

    Different threads may step different streams at the same time.

    Parameters
    ----------
    threads
        Threads of ONNX Runtime per call.
    max_batch
        Steps of all streams that are taken together. However much audio waits, memory beyond
        the audio itself grows with this number only.

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
        self._rooms = threading.local()
        self._every_column = tuple(range(len(self.words)))
        self.frontend = Frontend(metadata.frontend)
        self._session = Session(bundle, threads=threads, max_batch=min(max_batch, CALL_WINDOWS))
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
        for groups in batches(results, self.max_batch, max_steps):
            windows, advances = self._gather(groups)
            posteriors, at = self._session.run(windows)[:, 1:], 0
            for advance in advances:
                count, steps = advance.windows.shape[:2]
                found = posteriors[at : at + count * steps].reshape(count, steps, -1)
                self._scatter(advance, found, results)
                at += count * steps
        return [result for group in results.values() for result in group]

    def _gather(self, groups: Groups) -> tuple[NDArray[np.float32], list[_Advance]]:
        """The windows of all groups, one behind the other, and the part of each group."""
        count = sum(steps * len(streams) for (_, steps), streams in groups.items())
        windows = self._room(count)
        advances, at = [], 0
        for (_, steps), streams in groups.items():
            own = windows[at : at + len(streams) * steps].reshape(
                len(streams), steps, *windows.shape[1:]
            )
            advances.append(_Advance(streams, own, self._fill(own, streams)))
            at += len(streams) * steps
        return windows, advances

    def _room(self, count: int) -> NDArray[np.float32]:
        """Memory for ``count`` windows, good until this thread's next batch.

        Each thread keeps its own: fresh pages from the system for every batch cost a tenth of
        all the time.
        """
        room: NDArray[np.float32] | None = getattr(self._rooms, "windows", None)
        if room is None or len(room) < count:
            shape = (count, self.window_frames, self.frontend.config.channels)
            room = self._rooms.windows = np.empty(shape, np.float32)
        return room[:count]

    def _fill(self, windows: NDArray[np.float32], streams: list[Stream]) -> FrontendState:
        """Write the next windows of streams with equally long tails; return the state after."""
        steps, width = windows.shape[1:3]
        samples = np.array([s.pending.peek(steps * self.step_samples) for s in streams])
        before = FrontendState.stack([s.state.frontend for s in streams])
        features, after = self.frontend.process(samples, before)
        config, tail = self.frontend.config, before.tail.shape[1]
        for step in range(steps):
            new = config.frames_after(tail + (step + 1) * self.step_samples)
            old = max(0, width - new)
            windows[:, step, old:] = features[:, new - width + old : new]
            if old:
                for window, stream in zip(windows[:, step], streams, strict=True):
                    window[:old] = stream.state.frames[width - old :]
        return after

    def _scatter(
        self,
        advance: _Advance,
        posteriors: NDArray[np.float32],
        results: dict[Stream, list[StepResult]],
    ) -> None:
        """Smooth, detect, and only now move the streams on: a failure before changed nothing."""
        steps = posteriors.shape[1]
        before = np.array([s.state.smoother for s in advance.streams])
        smoothed, after = self._smoother.process(posteriors, before)
        # Most streams stay below all thresholds: that is seen for the whole batch at once.
        peaks = smoothed.max(axis=(1, 2)).tolist()
        tails, energies = advance.frontend.tail, advance.frontend.smoothed
        for i, stream in enumerate(advance.streams):
            own, own_smoothed = (self._heard(a[i], stream) for a in (posteriors, smoothed))
            first, detector = stream.scored_steps, stream.settings.detector
            crossings, detected = (
                detector.process(own_smoothed, stream.state.detector)
                if peaks[i] >= detector.lowest
                else ([], detector.skip(steps, stream.state.detector))
            )
            # Copies, because a slice would keep the arrays of the whole batch alive. The frames
            # to go on with are those of the last window.
            stream.state = StreamState(
                FrontendState(tails[i : i + 1].copy(), energies[i : i + 1].copy()),
                advance.windows[i, -1].copy(),
                after[i].copy(),
                detected,
            )
            stream.pending.drop(steps * self.step_samples)
            results[stream] += step_results(stream, first, own, own_smoothed, crossings)

    def _heard(self, values: NDArray[np.float32], stream: Stream) -> NDArray[np.float32]:
        """A copy of those columns of ``values`` (steps, words of the bundle)."""
        columns = stream.settings.columns
        return values.copy() if columns == self._every_column else values[:, columns]

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
