"""The sound of a planned stream of the Picovoice benchmark, any stretch of it at any time.

Each part is made from the plan alone, so that the sound of a stretch does not depend on what
was made before it: several stretches can be made and scored at once.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data.manifest import Recording
from wakeword.data.mixing import loudest_rms, rms
from wakeword.data.picovoice_plan import Kind, Plan, StreamConfig, make_plan
from wakeword.errors import AudioError

Samples = NDArray[np.float32]
Progress = Callable[[float], None]

FRAME_S = 0.032
"""The benchmark's frame, 512 samples at 16 kHz: levels are those of the loudest frame."""

_QUIET = 1e-6
_CACHE_BYTES = 512 * 1024 * 1024
_LONGEST_BLOCK_S = 30
_PCM_16 = np.float32(32_767.0)


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


@dataclass(frozen=True)
class Keyword:
    """A clip in the stream, in samples; ``snr_db`` as this project measures it elsewhere."""

    recording: Recording
    noise: Recording
    start: int
    end: int
    snr_db: float


class StreamMaker:
    """Makes the sound of one stream; holds no sound but the cache's. For any number of threads."""

    def __init__(
        self, ingredients: Ingredients, lengths: Lengths, config: StreamConfig, cache: SoundCache
    ) -> None:
        self.ingredients = ingredients
        self.rate = cache.rate
        self.plan: Plan = make_plan(
            [lengths.speech[r.path] for r in ingredients.keywords],
            [lengths.speech[r.path] for r in ingredients.speech],
            [lengths.noise[r.path] for r in ingredients.noise],
            config,
            cache.rate,
            zlib.crc32(ingredients.word.encode()),
        )
        self._cache = cache
        self._ratio = 10.0 ** (config.snr_db / 10.0)
        self._frame = round(FRAME_S * cache.rate)

    def survey(self, progress: Progress | None = None) -> tuple[float, tuple[Keyword, ...]]:
        """The gain of the whole stream, and its keywords in order of time.

        The benchmark divides the whole stream by its peak. Noise peaks at 1 by itself, so only
        where something is said can there be more.

        Parameters
        ----------
        progress
            Called with seconds of the stream.
        """
        peak, keywords, before = 1.0, [], 0
        for index in np.flatnonzero(self.plan.kinds != Kind.SILENCE).tolist():
            noise, speech = self._layers(index)
            peak = max(peak, float(np.abs(noise + speech).max(initial=0.0)))
            start, end = self._span(index)
            if self.plan.kinds[index] == Kind.KEYWORD:
                said, under = loudest_rms(speech, self.rate), rms(noise)
                under_it = self.ingredients.noise[self._noise_at((start + end) // 2)]
                keywords.append(
                    Keyword(self._recording(index), under_it, start, end,
                            20.0 * float(np.log10(said / under)))
                )  # fmt: skip
            if progress is not None:
                progress((end - before) / self.rate)
            before = end
        return 1.0 / peak, tuple(keywords)

    def blocks(self, first: int, stop: int, gain: float) -> Iterator[Samples]:
        """Samples ``first`` to ``stop`` of the stream, rounded to 16 bit as its file would be."""
        longest = _LONGEST_BLOCK_S * self.rate
        for index in self.plan.parts.within(first, stop):
            start, end = self._span(index)
            low, high = max(first, start), min(stop, end)
            if self.plan.kinds[index] == Kind.SILENCE:
                for at in range(low, high, longest):
                    yield _quantised(self._noise(at, min(high, at + longest)) * np.float32(gain))
            else:
                noise, speech = self._layers(index)
                mixed = (noise + speech)[low - start : high - start]
                yield _quantised(mixed * np.float32(gain))

    def source_at(self, sample: int, back: int) -> tuple[Recording, bool]:
        """What is to blame for an alarm at ``sample``, and whether it is speech.

        The speech that lies in the ``back`` samples before, the latest if there are several;
        where nothing is said, the noise.
        """
        sample = min(sample, self.plan.samples - 1)
        for index in reversed(self.plan.parts.within(max(0, sample - back), sample + 1)):
            if self.plan.kinds[index] != Kind.SILENCE:
                return self._recording(index), True
        return self.ingredients.noise[self._noise_at(sample)], False

    def _layers(self, index: int) -> tuple[Samples, Samples]:
        """Noise and scaled speech (n,) of a part in which something is said.

        The loudest frame of the speech stands ``snr_db`` above the loudest frame of the noise
        under it: the speech is scaled, the noise never.
        """
        noise = self._noise(*self._span(index))
        speech = self._cache.speech(self._recording(index))
        ratio = loudest_frame(noise, self._frame) / loudest_frame(speech, self._frame)
        return noise, speech * np.float32(np.sqrt(ratio * self._ratio))

    def _noise(self, first: int, stop: int) -> Samples:
        row, pieces = self.plan.noise, []
        for index in row.within(first, stop):
            start = int(row.edges[index])
            sound = self._cache.noise(self.ingredients.noise[int(row.sources[index])])
            pieces.append(sound[max(0, first - start) : stop - start])
        return np.concatenate(pieces) if len(pieces) != 1 else pieces[0]

    def _noise_at(self, sample: int) -> int:
        return int(self.plan.noise.sources[self.plan.noise.at(sample)])

    def _recording(self, index: int) -> Recording:
        is_keyword = self.plan.kinds[index] == Kind.KEYWORD
        group = self.ingredients.keywords if is_keyword else self.ingredients.speech
        return group[int(self.plan.parts.sources[index])]

    def _span(self, index: int) -> tuple[int, int]:
        return int(self.plan.parts.edges[index]), int(self.plan.parts.edges[index + 1])


def loudest_frame(samples: Samples, frame: int) -> float:
    """Energy of the loudest whole frame; of everything where there is no whole one."""
    whole = len(samples) // frame
    frames = samples[: whole * frame].reshape(whole, frame) if whole else samples[None]
    return float(np.square(frames, dtype=np.float64).sum(axis=1).max())


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


def _quantised(samples: Samples) -> Samples:
    rounded: Samples = np.rint(samples * _PCM_16) / np.float32(32_768.0)
    return rounded
