"""The clips that a command set is measured on: words, unknown words and silence of one split."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.data import mixing
from wakeword.data.commands.clips import fit_clip, is_single_word
from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.manifest import Manifest, Recording
from wakeword.errors import EvaluationError

Samples = NDArray[np.float32]
SHARE = 0.1
"""Clips of unknown, and of silence, for each clip of a word (10 % each in the papers)."""


@dataclass(frozen=True)
class CommandTrial:
    """One clip: its class (0: silence), and its recording, of which silence is a part."""

    label: int
    recording: Recording
    number: int


class CommandTrials:
    """What ``split`` of a manifest offers, the same for every model of these words.

    All clips of the words; for each of them ``SHARE`` clips of other words, or all there are, and
    ``SHARE`` stretches of noise as silence, unless ``config`` has no such class: its own shares
    are for training, and what is measured stays the protocol. Nothing is shifted or mixed.
    Background of the split is used, or of another split but train where it has none, or any.

    Raises
    ------
    EvaluationError
        The split has no clip of some word, or no background where silence is a class.
    """

    def __init__(
        self,
        manifest: Manifest,
        words: Sequence[str],
        config: CommandsConfig,
        noise_corpora: Collection[str],
        split: str = "test",
        seed: int = 1,
    ) -> None:
        self.words, self.config, self.split, self.seed = tuple(words), config, split, seed
        self.classes = config.classes(words)
        corpora = {r.corpus for r in manifest if r.text in self.words} - set(noise_corpora)
        inside = [r for r in manifest if r.split == split and r.corpus in corpora]
        spoken = [r for r in inside if r.text in self.words]
        missing = sorted(set(self.words) - {r.text for r in spoken})
        if missing:
            raise EvaluationError(
                f"{manifest.path}: the split '{split}' has no clip of {', '.join(missing)}"
            )
        rng = np.random.default_rng([seed, 0x7E57])
        others = [r for r in inside if is_single_word(r) and r.text not in self.words]
        share = math.ceil(SHARE * len(spoken))
        wanted = min(len(others), share) if config.unknown > 0.0 else 0
        chosen = sorted(rng.permutation(len(others))[:wanted])
        noise = _background(manifest, noise_corpora, split)
        silent = share if config.silence > 0.0 else 0
        if silent and not noise:
            raise EvaluationError(f"{manifest.path} has no background noise for the class silence")
        picked = sorted(int(i) for i in rng.integers(max(1, len(noise)), size=silent))
        self.trials = [
            *(CommandTrial(1 + self.words.index(r.text), r, 0) for r in spoken),
            *(CommandTrial(1 + len(self.words), others[i], 0) for i in chosen),
            *(CommandTrial(0, noise[i], k) for k, i in enumerate(picked)),
        ]

    def __len__(self) -> int:
        return len(self.trials)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of every clip, (clips,)."""
        return np.array([t.label for t in self.trials], np.int64)

    @property
    def measured(self) -> tuple[int, ...]:
        """Classes that have clips; silence has none where its share is 0."""
        return tuple(sorted({t.label for t in self.trials}))

    def audio(self, rate: int) -> Iterator[Samples]:
        """The clips (clip_s * rate,) in order.

        Raises
        ------
        AudioError
            A recording cannot be read.
        """
        length = round(self.config.clip_s * rate)
        for recording, trials in groupby(self.trials, key=lambda t: t.recording):
            samples = read_audio(recording.path, rate)
            for trial in trials:
                yield fit_clip(samples, length) if trial.label else self._silence(
                    samples, length, trial.number
                )

    def _silence(self, noise: Samples, length: int, number: int) -> Samples:
        rng = np.random.default_rng([self.seed, 0x51E7, number])
        volume = rng.uniform(0.0, self.config.silence_volume)
        return mixing.fit(noise, length, rng) * np.float32(volume)


def _background(manifest: Manifest, corpora: Collection[str], split: str) -> list[Recording]:
    noise = manifest.where(lambda r: r.corpus in corpora)
    of_split = [r for r in noise if r.split == split]
    return of_split or [r for r in noise if r.split != "train"] or noise
