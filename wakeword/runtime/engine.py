"""Scores many streams at once: gather what is due, run the network once, scatter."""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import Frontend
from wakeword.runtime.batches import Groups
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine_base import MAX_BATCH, EngineBase, Scored
from wakeword.runtime.heard import Heard, Past, split, stack
from wakeword.runtime.smoother import Smoother
from wakeword.runtime.stream import Stream
from wakeword.runtime.windows import open_windows


class Engine(EngineBase):
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
        super().__init__(bundle, max_batch)
        self._rooms = threading.local()
        self.frontend = Frontend(bundle.metadata.frontend)
        self._smoother = Smoother(bundle.metadata.smoother)
        silence = self.frontend.silence()
        self._windows = open_windows(bundle, silence, threads, max_batch)
        self.rows_per_step = self._windows.rows
        """Rows of the table in :class:`Kept` that a step of a stream takes."""
        self.new = Past(
            self.frontend.initial_state(),
            np.tile(silence, (1, self._windows.frames, 1)),
            self._smoother.initial_state(1, len(self.words)),
            (self._windows.silence,) * self._windows.history,
        )
        """What every new stream goes on with: silence before it."""

    def advance(
        self, heard: Heard, samples: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Heard]:
        """Score the next steps of streams: what :meth:`step` does between taking and detecting.

        Parameters
        ----------
        heard
            What streams have behind them, and room for ``rows_per_step`` rows for each step.
        samples (streams, n) float32
            Whole steps at the engine's rate.

        Returns
        -------
        posteriors, smoothed (streams, steps, words), heard
            Its frames, and what is new in the table, are good until this thread's next call:
            copy what is kept.

        Raises
        ------
        AudioError
            As :meth:`Frontend.process`.
        """
        steps = samples.shape[1] // self.step_samples
        features, after = self.frontend.process(samples, heard.frontend)
        shape = (len(samples), steps, *heard.frames.shape[1:])
        windows = self._room("windows", *shape)
        self._fill(windows, features, heard)
        labels, kept = self._windows.score(windows, heard.kept)
        posteriors = labels[..., 1:]
        smoothed, last = self._smoother.process(posteriors, heard.smoother)
        return posteriors, smoothed, Heard(after, windows[:, -1], last, kept)

    def _nothing_heard(self) -> Past:
        return self.new

    def _kind(self, stream: Stream) -> int:
        """Samples in the tail of the front end: where they are equal, frames are equally many."""
        return int(_past(stream).frontend.tail.shape[1])

    def _score(self, groups: Groups) -> list[Scored]:
        scored = []
        for (_, steps), streams in groups.items():
            samples = np.array([s.pending.peek(steps * self.step_samples) for s in streams])
            past = [_past(s) for s in streams]
            before = stack(past, *self._rooms_for(len(past), steps))
            posteriors, smoothed, after = self.advance(before, samples)
            parts = split(after, past, steps, self.rows_per_step)
            scored.append(Scored(streams, posteriors, smoothed, parts))
        return scored

    def _rooms_for(
        self, streams: int, steps: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where :func:`stack` puts that many streams."""
        windows = self._windows
        frames = self._room("before", streams, *self.new.frames.shape[1:])
        kept = windows.history * len(windows.silence)
        rows = streams * (kept + steps * windows.rows)
        return frames, self._room("table", rows, windows.silence.shape[1])

    def _room(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Memory that is good until this thread asks for it again.

        Each thread keeps its own: fresh pages from the system for every batch cost a tenth of
        all the time.
        """
        room: NDArray[np.float32] | None = getattr(self._rooms, name, None)
        size = math.prod(shape)
        if room is None or len(room) < size:
            room = np.empty(size, np.float32)
            setattr(self._rooms, name, room)
        return room[:size].reshape(shape)

    def _fill(
        self, windows: NDArray[np.float32], features: NDArray[np.float32], before: Heard
    ) -> None:
        """Write the newest frames of each step: new ones behind those that were there before."""
        width, config = windows.shape[2], self.frontend.config
        tail = before.frontend.tail.shape[1]
        for step in range(windows.shape[1]):
            new = config.frames_after(tail + (step + 1) * self.step_samples)
            old = max(0, width - new)
            windows[:, step, old:] = features[:, new - width + old : new]
            windows[:, step, :old] = before.frames[:, width - old :]


def _past(stream: Stream) -> Past:
    past = stream.state.heard
    assert isinstance(past, Past)
    return past
