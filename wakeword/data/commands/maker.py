"""The clips of an epoch, shifted and in noise: every clip of a word once, in random order."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wakeword.data import mixing
from wakeword.data.commands.clips import fit_clip
from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.scenes import Scene
from wakeword.data.sources import Sources
from wakeword.data.voices import place

Samples = NDArray[np.float32]
_ORDER, _CLIP = 0xE70C, 0xC11B


class CommandMaker:
    """Clip number ``k`` of an endless training set follows from the seed and ``k`` alone.

    An epoch holds each clip of a word once, and unknown and silence in their shares; which other
    word, which noise and which shift is drawn anew each time.
    """

    def __init__(self, sources: Sources, config: CommandsConfig, seed: int) -> None:
        self.sources, self.config, self.seed = sources, config, seed
        self.rate = sources.corpus.sample_rate
        self.length = round(config.clip_s * self.rate)
        clips = [(k, w.index) for k, word in enumerate(sources.words, 1) for w in word]
        self._words = np.array(clips, np.int64)  # (clips, 2): class and recording
        self.unknown = math.ceil(config.unknown * len(clips))
        self.silence = math.ceil(config.silence * len(clips))
        self._epoch, self._order = -1, np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Clips of an epoch."""
        return len(self._words) + self.unknown + self.silence

    def clip(self, number: int) -> Scene:
        """Clip ``number``, from 0, with its class."""
        epoch, at = divmod(number, len(self))
        if epoch != self._epoch:
            rng = np.random.default_rng([self.seed, _ORDER, epoch])
            self._epoch, self._order = epoch, rng.permutation(len(self))
        rng = np.random.default_rng([self.seed, _CLIP, number])
        k = int(self._order[at])
        if k < len(self._words):
            label, index = (int(x) for x in self._words[k])
            samples = self._augmented(self.sources.corpus.audio(index), rng)
        elif k < len(self._words) + self.unknown:
            label = len(self.sources.words) + 1
            samples = self._augmented(self._unknown(rng), rng)
        else:
            label = 0
            samples = self._noise(rng) * np.float32(rng.uniform(0.0, self.config.silence_volume))
        return Scene(np.clip(samples, -1.0, 1.0), label, 0, 0, 0)

    def _unknown(self, rng: np.random.Generator) -> Samples:
        """Another word, or a piece of running speech."""
        corpus = self.sources.corpus
        if rng.random() < self.config.speech:
            pool = self.sources.speech
            talk = corpus.audio(pool[int(rng.integers(len(pool)))])
            return mixing.fit(talk, self.length, rng)
        pool = self.sources.clips
        return corpus.audio(pool[int(rng.integers(len(pool)))])

    def _augmented(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Shifted, then blended with background noise (Choi et al., section 3.1)."""
        c = self.config
        shift = round(rng.uniform(-c.shift_s, c.shift_s) * self.rate)
        clip = place(fit_clip(samples, self.length), shift, self.length)
        if rng.random() >= c.background:
            return clip
        noise = self._noise(rng)
        if c.background_snr_db is not None:
            return mixing.mix_at_snr(clip, noise, rng.uniform(*c.background_snr_db), self.rate)
        return clip + noise * np.float32(rng.uniform(0.0, c.background_volume))

    def _noise(self, rng: np.random.Generator) -> Samples:
        """A random stretch of a random background; silence where there is none."""
        pool = self.sources.noise
        if not pool:
            return np.zeros(self.length, np.float32)
        audio = self.sources.corpus.audio(pool[int(rng.integers(len(pool)))])
        return mixing.fit(audio, self.length, rng)
