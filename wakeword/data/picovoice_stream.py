"""The sound of a planned stream of the Picovoice benchmark, any stretch of it at any time.

Each part is made from the plan alone, so that the sound of a stretch does not depend on what
was made before it: several stretches can be made and scored at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wakeword.data.manifest import Recording
from wakeword.data.mixing import loudest_rms, rms
from wakeword.data.picovoice_plan import Kind, Plan, StreamConfig, make_plan
from wakeword.data.picovoice_sounds import (
    FRAME_S,
    Ingredients,
    Lengths,
    Progress,
    Samples,
    SoundCache,
)

_LONGEST_BLOCK_S = 30
_PCM_16 = np.float32(32_767.0)


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


def _quantised(samples: Samples) -> Samples:
    rounded: Samples = np.rint(samples * _PCM_16) / np.float32(32_768.0)
    return rounded
