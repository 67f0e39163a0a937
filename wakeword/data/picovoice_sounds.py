"""What a stream of the Picovoice benchmark is made of: recordings, decoded once and measured."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.manifest import Recording
from wakeword.errors import AudioError

Samples = NDArray[np.float32]
Progress = Callable[[float], None]

FRAME_S = 0.032
"""The benchmark's frame, 512 samples at 16 kHz: levels are those of the loudest frame."""

_QUIET = 1e-6
_CACHE_BYTES = 512 * 1024 * 1024


class SoundCache:
    """Decoded recordings (n,) float32; what was not asked for longest gives way to new ones."""

    def __init__(self, rate: int, most_bytes: int = _CACHE_BYTES) -> None:
        self.rate = rate
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[Path, bool], Samples] = OrderedDict()
        self._lock = threading.Lock()

    def speech(self, recording: Recording) -> Samples:
        """A recording as it is."""
        return self._get(recording.path, False)

    def noise(self, recording: Recording) -> Samples:
        """A recording without its digital silence, its peak at 1: see :func:`without_silence`."""
        return self._get(recording.path, True)

    def _get(self, path: Path, noise: bool) -> Samples:
        with self._lock:
            found = self._kept.get((path, noise))
            if found is not None:
                self._kept.move_to_end((path, noise))
                return found
        sound = read_audio(path, self.rate)
        if noise:
            sound = without_silence(sound, round(FRAME_S * self.rate))
            sound = sound / np.float32(np.abs(sound).max(initial=1e-9))
        with self._lock:
            if (path, noise) not in self._kept:
                self._kept[path, noise] = sound
                self._bytes += sound.nbytes
            while self._bytes > self._most_bytes and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return sound


@dataclass(frozen=True)
class Ingredients:
    """The recordings of one stream, in the order in which the plan counts them."""

    word: str
    keywords: tuple[Recording, ...]
    speech: tuple[Recording, ...]
    noise: tuple[Recording, ...]

    @property
    def all(self) -> tuple[Recording, ...]:
        """All of them: keywords, speech, noise."""
        return (*self.keywords, *self.speech, *self.noise)


@dataclass(frozen=True)
class Lengths:
    """Samples of each recording, by path; noise as the stream uses it."""

    speech: dict[Path, int]
    noise: dict[Path, int]


def measure_lengths(
    ingredients: Sequence[Ingredients], cache: SoundCache, progress: Progress | None = None
) -> Lengths:
    """Decode every recording once, so that the plans are exact to the sample.

    Parameters
    ----------
    progress
        Called with the number of recordings that were read.

    Raises
    ------
    AudioError
        A recording cannot be read, or is digital silence throughout.
    """
    spoken = {r.path: r for i in ingredients for r in (*i.keywords, *i.speech)}
    noises = {r.path: r for i in ingredients for r in i.noise}

    def length(job: tuple[Recording, bool]) -> int:
        recording, noise = job
        sound = cache.noise(recording) if noise else cache.speech(recording)
        if not len(sound) or not sound.any():
            raise AudioError(f"{recording.path} is digital silence: it has no level to mix at")
        return len(sound)

    jobs = [(r, False) for r in spoken.values()] + [(r, True) for r in noises.values()]
    found: list[int] = []
    with ThreadPoolExecutor() as pool:
        try:
            for samples in pool.map(length, jobs):
                found.append(samples)
                if progress is not None:
                    progress(1.0)
        except BaseException:  # Ctrl-C must not wait for thousands of recordings
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Lengths(
        dict(zip(spoken, found[: len(spoken)], strict=True)),
        dict(zip(noises, found[len(spoken) :], strict=True)),
    )


def without_silence(samples: Samples, frame: int) -> Samples:
    """``samples`` (n,) without the frames that lie 60 dB or more below the loudest one.

    Clips of sounds are often filled up with digital silence: a keyword scaled to stand above
    that would vanish, as it does in the original.
    """
    whole = len(samples) // frame
    if not whole:
        return samples
    energies = np.square(samples[: whole * frame].reshape(whole, frame), dtype=np.float64).sum(1)
    loud = energies > energies.max() * _QUIET
    if loud.all():
        return samples
    rest = samples[whole * frame :] if loud[-1] else samples[:0]
    return np.concatenate([samples[: whole * frame].reshape(whole, frame)[loud].ravel(), rest])
