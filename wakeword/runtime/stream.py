"""One audio stream: everything that changes while it is heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.pcm import MAX_CHANNELS, Samples, to_mono_float32
from wakeword.audio.resample import Resampler
from wakeword.errors import AudioError
from wakeword.runtime.detector import Detector, DetectorState
from wakeword.runtime.thresholds import resolve_thresholds

if TYPE_CHECKING:
    from wakeword.runtime.engine_base import EngineBase

TAIL_S = 0.5
"""Digital silence that :meth:`Stream.finish` adds, so that a word ending with a file is found."""

_KEPT_SAMPLES = 16_000
"""Room that a queue keeps for the next samples when it is empty."""


@dataclass(frozen=True)
class StreamSettings:
    """What a stream was opened with; columns: which of the bundle's words it hears."""

    sample_rate: int
    channels: int
    words: tuple[str, ...]
    columns: tuple[int, ...]
    detector: Detector


@dataclass(frozen=True)
class StreamState:
    """Everything a stream remembers of the samples that were scored.

    heard: what its engine goes on with; only the engine looks inside.
    """

    heard: Any
    detector: DetectorState


class Stream:
    """Takes samples of one source; :meth:`Engine.step` scores what they complete.

    Open one with :meth:`Engine.open_stream`. Samples wait until the engine steps: whoever
    feeds a stream paces it, nothing is dropped here. Not for two threads at once.
    """

    def __init__(self, engine: EngineBase, settings: StreamSettings) -> None:
        self.engine = engine
        self.settings = settings
        self._resampler = Resampler(settings.sample_rate, engine.sample_rate)
        if not 1 <= settings.channels <= MAX_CHANNELS:
            raise AudioError(
                f"channels = {settings.channels}, but it must be between 1 and {MAX_CHANNELS}"
            )
        self.reset()

    def reset(self) -> None:
        """Forget everything: exactly the state of a new stream."""
        self._resampler.reset()
        self.pending = SampleQueue()
        self.state = self.engine.initial_state(self.settings)
        self._taken = 0
        self._received = 0
        self._finished = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are heard, in the order of all results."""
        return self.settings.words

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each word."""
        values = self.settings.detector.thresholds
        return dict(zip(self.words, map(float, values), strict=True))

    @property
    def received_samples(self) -> int:
        """Samples at the model's rate since the start, without the silence of :meth:`finish`."""
        return self._received

    @property
    def scored_steps(self) -> int:
        """Steps that were scored since the start."""
        return self.state.detector.steps

    @property
    def due_steps(self) -> int:
        """Steps that can be scored now."""
        return len(self.pending) // self.engine.step_samples

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` was called."""
        return self._finished

    def accept(self, samples: NDArray[Any]) -> None:
        """Take the next samples; they are copied.

        Parameters
        ----------
        samples (n,) or (n, channels) int16, int32, float32 or float64, at the declared rate

        Raises
        ------
        AudioError
            Another type, shape or number of channels, NaN or infinite samples, or the stream
            is finished. The stream is as before.
        """
        self.accept_checked(
            to_mono_float32(samples, self.settings.channels, first_sample=self._taken)
        )

    def accept_checked(self, mono: Samples) -> None:
        """As :meth:`accept`, for a caller who scaled and mixed the samples and found them finite.

        Parameters
        ----------
        mono (n,) float32, full scale 1, at the declared rate
        """
        if self._finished:
            raise AudioError(f"samples after the end of the stream (sample {self._taken})")
        self._take(self._resampler.process(mono))
        self._taken += len(mono)

    def finish(self) -> None:
        """Declare the end: the last step is completed with silence, and half a second added.

        A stream that never had a sample stays empty. Calling it again changes nothing.
        """
        if self._finished:
            return
        self._finished = True
        self._take(self._resampler.process(np.zeros(0, np.float32), last=True))
        if self._received:
            step = self.engine.step_samples
            tail_steps = -(-round(TAIL_S * self.engine.sample_rate) // step)
            self.pending.append(np.zeros(-self._received % step + tail_steps * step, np.float32))

    def retune(self, thresholds: float | Mapping[str, float]) -> None:
        """Change thresholds from the next step on; everything else goes on as it was.

        A word whose score lies at or above its new threshold, but lay below the old one, is
        detected at the next step if it is still there: to the detector it has just crossed.

        Parameters
        ----------
        thresholds
            One for all words, or by word; words without one keep theirs.

        Raises
        ------
        ConfigError
            A threshold outside (0, 1), or one for a word that is not heard. Nothing changes.
        """
        words, detector = self.words, self.settings.detector
        new = thresholds if isinstance(thresholds, Mapping) else dict.fromkeys(words, thresholds)
        merged = {**self.thresholds, **new}
        values = resolve_thresholds(self.engine.bundle, words, merged)
        self.settings = replace(self.settings, detector=Detector(values, detector.refractory_steps))

    def _take(self, samples: Samples) -> None:
        self.pending.append(samples)
        self._received += len(samples)


def copy_into(place: Samples, samples: Samples) -> None:
    """``place[:] = samples`` (n,), which keeps Python's lock.

    NumPy lets go of it for some hundred samples, and where threads wait for it, getting it back
    takes far longer than copying them.
    """
    if samples.flags.c_contiguous:
        place.data[:] = samples.data
    else:
        place[:] = samples


class SampleQueue:
    """Samples that wait for the end of their step, in one piece."""

    def __init__(self) -> None:
        self._buffer = np.zeros(0, np.float32)
        self._first = self._end = 0

    def __len__(self) -> int:
        return self._end - self._first

    def append(self, samples: Samples) -> None:
        """Add a copy of ``samples`` (n,) at the end."""
        if self._end + len(samples) > len(self._buffer):
            self._move(len(self) + len(samples))
        begin, self._end = self._end, self._end + len(samples)
        copy_into(self._buffer[begin : self._end], samples)

    def peek(self, count: int) -> Samples:
        """The first ``count`` samples, which stay; a view, good until the next :meth:`append`."""
        assert count <= len(self), "more samples asked for than are waiting"
        return self._buffer[self._first : self._first + count]

    def drop(self, count: int) -> None:
        """Remove the first ``count`` samples."""
        self._first += count
        if self._first == self._end:
            self._first = self._end = 0
            if len(self._buffer) > _KEPT_SAMPLES:
                self._buffer = np.zeros(0, np.float32)

    def _move(self, needed: int) -> None:
        """Bring what waits to the front of a buffer with room for ``needed`` samples.

        There is then as much room as was moved, so that no sample is moved often.
        """
        waiting = self.peek(len(self))
        if needed + len(waiting) > len(self._buffer):
            self._buffer = np.empty(needed + len(waiting), np.float32)
        self._buffer[: len(waiting)] = waiting
        self._first, self._end = 0, len(waiting)
