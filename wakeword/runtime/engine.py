"""Scores many streams at once: gather what is due, run the network once, scatter."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend import Frontend, FrontendState
from wakeword.runtime.batches import Groups
from wakeword.runtime.bundle import Bundle
from wakeword.runtime.engine_base import MAX_BATCH, EngineBase, Scored
from wakeword.runtime.session import CALL_WINDOWS, Session
from wakeword.runtime.smoother import Smoother
from wakeword.runtime.stream import Stream


@dataclass(frozen=True)
class Heard:
    """What the engine must know of the samples that streams have behind them; state as a value.

    frames (streams, window_frames, channels): the last features, silence before the stream began.
    smoother (streams, smoother.steps - 1, words of the bundle): the last posteriors.
    """

    frontend: FrontendState
    frames: NDArray[np.float32]
    smoother: NDArray[np.float32]

    @staticmethod
    def stack(parts: Sequence[Heard], frames: NDArray[np.float32]) -> Heard:
        """Of many streams; all must have the same front-end tail. ``frames`` is room for theirs."""
        return Heard(
            FrontendState.stack([part.frontend for part in parts]),
            np.concatenate([part.frames for part in parts], out=frames),
            np.concatenate([part.smoother for part in parts]),
        )

    def split(self) -> list[Heard]:
        """Of one stream each. Copies: a slice would keep the arrays of the whole batch alive."""
        return [
            Heard(
                FrontendState(tail[None].copy(), energies[None].copy()),
                frames[None].copy(),
                smoother[None].copy(),
            )
            for tail, energies, frames, smoother in zip(
                self.frontend.tail, self.frontend.smoothed, self.frames, self.smoother, strict=True
            )
        ]


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
        self._session = Session(bundle, threads=threads, max_batch=min(max_batch, CALL_WINDOWS))
        self._smoother = Smoother(bundle.metadata.smoother)

    def nothing_heard(self, streams: int = 1) -> Heard:
        """What new streams go on with: silence before them."""
        return Heard(
            self.frontend.initial_state(streams),
            np.tile(self.frontend.silence(), (streams, self.window_frames, 1)),
            self._smoother.initial_state(streams, len(self.words)),
        )

    def advance(
        self, heard: Heard, samples: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Heard]:
        """Score the next steps of streams: what :meth:`step` does between taking and detecting.

        Parameters
        ----------
        heard
            As :meth:`nothing_heard` or a former call gave it.
        samples (streams, n) float32
            Whole steps at the engine's rate.

        Returns
        -------
        posteriors, smoothed (streams, steps, words), heard
            Its frames are good until this thread's next call: copy what is kept.

        Raises
        ------
        AudioError
            As :meth:`Frontend.process`.
        """
        steps = samples.shape[1] // self.step_samples
        features, after = self.frontend.process(samples, heard.frontend)
        windows = self._room("windows", len(samples) * steps)
        by_stream = windows.reshape(len(samples), steps, *windows.shape[1:])
        self._fill(by_stream, features, heard)
        posteriors = self._session.run(windows)[:, 1:].reshape(len(samples), steps, -1)
        smoothed, last = self._smoother.process(posteriors, heard.smoother)
        return posteriors, smoothed, Heard(after, by_stream[:, -1], last)

    def _nothing_heard(self) -> Heard:
        return self.nothing_heard()

    def _kind(self, stream: Stream) -> int:
        """Samples in the tail of the front end: where they are equal, frames are equally many."""
        return int(_heard(stream).frontend.tail.shape[1])

    def _score(self, groups: Groups) -> list[Scored]:
        scored = []
        for (_, steps), streams in groups.items():
            samples = np.array([s.pending.peek(steps * self.step_samples) for s in streams])
            room = self._room("before", len(streams))
            before = Heard.stack([_heard(s) for s in streams], room)
            posteriors, smoothed, after = self.advance(before, samples)
            scored.append(Scored(streams, posteriors, smoothed, after.split()))
        return scored

    def _room(self, name: str, count: int) -> NDArray[np.float32]:
        """Memory for the frames of ``count`` windows, good until this thread asks for it again.

        Each thread keeps its own: fresh pages from the system for every batch cost a tenth of
        all the time.
        """
        room: NDArray[np.float32] | None = getattr(self._rooms, name, None)
        if room is None or len(room) < count:
            shape = (count, self.window_frames, self.frontend.config.channels)
            room = np.empty(shape, np.float32)
            setattr(self._rooms, name, room)
        return room[:count]

    def _fill(
        self, windows: NDArray[np.float32], features: NDArray[np.float32], before: Heard
    ) -> None:
        """Write the window of each step: new frames behind those that were there before."""
        width, config = self.window_frames, self.frontend.config
        tail = before.frontend.tail.shape[1]
        for step in range(windows.shape[1]):
            new = config.frames_after(tail + (step + 1) * self.step_samples)
            old = max(0, width - new)
            windows[:, step, old:] = features[:, new - width + old : new]
            windows[:, step, :old] = before.frames[:, width - old :]


def _heard(stream: Stream) -> Heard:
    heard = stream.state.heard
    assert isinstance(heard, Heard)
    return heard
