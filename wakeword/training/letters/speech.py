"""Transcribed speech in batches: features with noise and other voices, and what is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.alignment.model import plain_text
from wakeword.data.corpus import Corpus, load_corpus
from wakeword.data.features import SceneFeatures
from wakeword.data.manifest import Manifest, Recording
from wakeword.data.mixing import fit, mix_at_snr
from wakeword.data.scenes import Scene
from wakeword.errors import RecipeError
from wakeword.frontend import Frontend
from wakeword.training.letters.recipe import LettersRecipe, LettersTraining
from wakeword.training.records import check_licences

Progress = Callable[[float], None]


@dataclass(frozen=True)
class TranscribedSpeech:
    """Recordings with their texts, and recordings of noise; indices point into ``corpus``."""

    corpus: Corpus
    spoken: tuple[int, ...]
    texts: tuple[str, ...]
    noise: tuple[int, ...]

    @property
    def letters(self) -> str:
        """All characters of the texts, sorted."""
        return "".join(sorted(set().union(*self.texts)))


@dataclass(frozen=True)
class Batch:
    """Features (n, frames, channels) padded with silence, valid frames (n,), labels of each."""

    features: NDArray[np.float32]
    frames: NDArray[np.int64]
    labels: tuple[tuple[int, ...], ...]


def choose_speech(recipe: LettersRecipe, manifest: Manifest) -> tuple[Recording, ...]:
    """The recordings of the training split that the recipe trains on, noise among them.

    A recording without a transcript, or with digits in it, is left out: how they are spelt out is
    not known.

    Raises
    ------
    RecipeError
        A corpus has no licence, or there is no transcript at all.
    """
    d = recipe.data
    chosen = manifest.where(
        lambda r: (
            r.split == "train"
            and r.corpus not in d.exclude_corpora
            and (r.corpus in d.noise_corpora or _can_be_spelt(r.text))
        )
    )
    check_licences({r.corpus for r in chosen}, d.licences)
    if all(r.corpus in d.noise_corpora for r in chosen):
        raise RecipeError(f"{manifest.path}: the training split has no transcribed speech")
    return tuple(chosen)


def load_speech(
    chosen: Sequence[Recording], recipe: LettersRecipe, cache: Path, progress: Progress
) -> TranscribedSpeech:
    """Decode the recordings at the recipe's rate.

    Raises
    ------
    AudioError
        A recording cannot be read.
    """
    corpus = load_corpus(chosen, recipe.frontend.sample_rate, cache, progress)
    noisy = recipe.data.noise_corpora
    speech = tuple(i for i, r in enumerate(chosen) if r.corpus not in noisy)
    noise = tuple(i for i, r in enumerate(chosen) if r.corpus in noisy)
    return TranscribedSpeech(
        corpus, speech, tuple(plain_text(chosen[i].text) for i in speech), noise
    )


def _can_be_spelt(text: str) -> bool:
    plain = plain_text(text)
    return bool(plain) and not any(c.isdigit() for c in plain)


class BatchMaker:
    """Draws the batches of an epoch; they depend on the seed and the epoch alone."""

    def __init__(self, speech: TranscribedSpeech, recipe: LettersRecipe) -> None:
        self.speech = speech
        self.training: LettersTraining = recipe.training
        self._features = SceneFeatures(Frontend(recipe.frontend), recipe.features)
        letters = speech.letters
        self._labels = [tuple(1 + letters.index(c) for c in text) for text in speech.texts]
        self._said = Counter(speech.texts)

    def epoch(self, number: int) -> tuple[int, Iterator[Batch]]:
        """How many batches an epoch has, and they; recordings of about one length together."""
        rng = np.random.default_rng([self.training.seed, 0x1E77E5, number])
        groups = self._groups(rng)
        return len(groups), (self._batch(group, rng) for group in groups)

    def _groups(self, rng: np.random.Generator) -> list[list[int]]:
        """Indices into ``spoken``, grouped so that a padded batch holds ``batch_s`` at most."""
        most = self.training.most_of_a_text
        drawn = [
            i
            for i, text in enumerate(self.speech.texts)
            if rng.random() < min(1.0, most / self._said[text])
        ]
        seconds = {i: self.speech.corpus.recordings[self.speech.spoken[i]].seconds for i in drawn}
        drawn.sort(key=lambda i: seconds[i] + rng.uniform(0.0, 0.5))
        groups: list[list[int]] = []
        longest = 0.0
        for i in drawn:
            longest = max(longest, seconds[i])
            if not groups or longest * (len(groups[-1]) + 1) > self.training.batch_s:
                groups.append([])
                longest = seconds[i]
            groups[-1].append(i)
        return [groups[int(g)] for g in rng.permutation(len(groups))]

    def _batch(self, group: Sequence[int], rng: np.random.Generator) -> Batch:
        features = [self._heard(i, rng) for i in group]
        frames = np.array([len(f) for f in features])
        padded = np.zeros((len(group), max(1, *frames), features[0].shape[1]), np.float32)
        padded[:] = self._features.frontend.silence()
        for row, one in zip(padded, features, strict=True):
            row[: len(one)] = one
        return Batch(padded, frames, tuple(self._labels[i] for i in group))

    def _heard(self, index: int, rng: np.random.Generator) -> NDArray[np.float16]:
        t, corpus = self.training, self.speech.corpus
        samples = corpus.audio(self.speech.spoken[index])
        if self.speech.noise and rng.random() < t.noisy:
            noise = corpus.audio(self.speech.noise[int(rng.integers(len(self.speech.noise)))])
            noise = fit(noise, len(samples), rng)
            samples = mix_at_snr(samples, noise, rng.uniform(*t.snr_db), corpus.sample_rate)
        peak = float(np.abs(samples).max(initial=0.0))
        if peak > 1.0:
            samples = samples / np.float32(peak)
        (features,) = self._features.compute([Scene(samples, 0, 0, 0, 0)], rng)
        return np.asarray(features)
