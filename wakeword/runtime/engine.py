"""Scores many streams at once: gather what is due, run the network once, scatter."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

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
    """What the engine must know of the samples that a stream has behind it.

    frames (window_frames, channels): the last features, silence before the stream began.
    smoother (smoother.steps - 1, words of the bundle): the last posteriors.
    """

    frontend: FrontendState
    frames: NDArray[np.float32]
    smoother: NDArray[np.float32]


class _Advance(NamedTuple):
    """Streams of one group with the windows of their next steps."""

    streams: list[Stream]
    windows: NDArray[np.float32]
    """(streams, steps, window_frames, channels)"""
    frontend: FrontendState
    """The state after these steps."""


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

    def _nothing_heard(self) -> Heard:
        return Heard(
            self.frontend.initial_state(),
            np.tile(self.frontend.silence(), (self.window_frames, 1)),
            self._smoother.initial_state(1, len(self.words))[0],
        )

    def _kind(self, stream: Stream) -> int:
        """Samples in the tail of the front end: where they are equal, frames are equally many."""
        return int(_heard(stream).frontend.tail.shape[1])

    def _score(self, groups: Groups) -> list[Scored]:
        windows, advances = self._gather(groups)
        posteriors, at = self._session.run(windows)[:, 1:], 0
        scored = []
        for advance in advances:
            count, steps = advance.windows.shape[:2]
            found = posteriors[at : at + count * steps].reshape(count, steps, -1)
            scored.append(self._scored(advance, found))
            at += count * steps
        return scored

    def _scored(self, advance: _Advance, posteriors: NDArray[np.float32]) -> Scored:
        before = np.array([_heard(s).smoother for s in advance.streams])
        smoothed, after = self._smoother.process(posteriors, before)
        tails, energies = advance.frontend.tail, advance.frontend.smoothed
        # Copies, because a slice would keep the arrays of the whole batch alive. The frames to go
        # on with are those of the last window.
        heard = [
            Heard(
                FrontendState(tails[i : i + 1].copy(), energies[i : i + 1].copy()),
                advance.windows[i, -1].copy(),
                after[i].copy(),
            )
            for i in range(len(advance.streams))
        ]
        return Scored(advance.streams, posteriors, smoothed, heard)

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
        before = FrontendState.stack([_heard(s).frontend for s in streams])
        features, after = self.frontend.process(samples, before)
        config, tail = self.frontend.config, before.tail.shape[1]
        for step in range(steps):
            new = config.frames_after(tail + (step + 1) * self.step_samples)
            old = max(0, width - new)
            windows[:, step, old:] = features[:, new - width + old : new]
            if old:
                for window, stream in zip(windows[:, step], streams, strict=True):
                    window[:old] = _heard(stream).frames[width - old :]
        return after


def _heard(stream: Stream) -> Heard:
    heard = stream.state.heard
    assert isinstance(heard, Heard)
    return heard
