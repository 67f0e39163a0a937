"""What training draws from: aligned words, negative speech, noise, music and rooms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.data.align import SHORTEST_WORD_S, Aligner, align_by_energy
from wakeword.data.corpus import Corpus
from wakeword.data.manifest import Recording
from wakeword.data.vocabulary import Vocabulary
from wakeword.errors import ManifestError


@dataclass(frozen=True)
class Kinds:
    """Which corpora of a manifest are noise, which of it music, and which synthetic speech."""

    noise: frozenset[str]
    music: frozenset[str]
    synthetic: frozenset[str]


@dataclass(frozen=True)
class AlignedWord:
    """One utterance of a word: recording index and word times in samples of its clip."""

    index: int
    start: int
    end: int
    synthetic: bool


@dataclass(frozen=True)
class Mined:
    """A stretch of negative audio that a model took for a word: recording and sample of its end."""

    index: int
    end: int
    score: float


@dataclass(frozen=True)
class Sources:
    """Everything one split offers to the scene maker; indices point into ``corpus``.

    ``words`` are those of the bundle, ``also`` those that are learnt beside them: class ``k + 1``
    is the ``k``-th of both.
    """

    corpus: Corpus
    words: tuple[tuple[AlignedWord, ...], ...]
    also: tuple[tuple[AlignedWord, ...], ...]
    speech: tuple[int, ...]
    clips: tuple[int, ...]
    noise: tuple[int, ...]
    music: tuple[int, ...]
    rooms: tuple[NDArray[np.float32], ...]
    mined: tuple[Mined, ...] = ()


def collect(
    corpus: Corpus,
    labels: Sequence[str],
    kinds: Kinds,
    rooms: Sequence[NDArray[np.float32]],
    align: Aligner = align_by_energy,
    also: Sequence[str] = (),
) -> Sources:
    """Sort the recordings of ``corpus`` into words, speech, short clips, noise and music.

    A recording whose text is exactly a label is that word, at its stated times or aligned; so is
    a sentence whose stated times are those of a label, and one that merely holds a label once, if
    ``align`` finds it there. Other recordings that say a label are left out, since nobody knows
    where. A recording without a transcript is taken at its corpus's word: it is negative. Of the
    words of ``also``, recordings that say nothing else are taken.

    Raises
    ------
    ManifestError
        A label has no usable recording, or there is no noise or no negative speech.
    """
    words: dict[str, list[AlignedWord]] = {word: [] for word in (*labels, *also)}
    speech: list[int] = []
    clips: list[int] = []
    noise: list[int] = []
    music: list[int] = []
    vocabulary = Vocabulary.of(corpus.recordings)
    for i, r in enumerate(corpus.recordings):
        said = r.text if r.text in words else vocabulary.timed_word(r)
        if r.corpus in kinds.noise:
            (music if r.corpus in kinds.music else noise).append(i)
        elif said is not None and (said in labels or r.text in also):
            times = _stated_times(r) or _found_times(corpus, i, said, align)
            if times is not None:
                words[said].append(_aligned(corpus, i, times, kinds))
        elif not (inside := [label for label in labels if r.says(label)]):
            running = " " in r.text or not r.text  # one word, or no transcript at all
            (speech if r.seconds >= 2.0 and running else clips).append(i)
        elif len(inside) == 1 == r.times_said(inside[0]):
            times = _found_times(corpus, i, inside[0], align)
            if times is not None:
                words[inside[0]].append(_aligned(corpus, i, times, kinds))
    for label, found in words.items():
        if not found:
            raise ManifestError(f"no usable recording of '{label}' in the training split")
    for name, found_kind in (("noise", noise), ("negative speech", speech or clips)):
        if not found_kind:
            raise ManifestError(f"the training split holds no {name}")
    return Sources(
        corpus,
        tuple(tuple(words[word]) for word in labels),
        tuple(tuple(words[word]) for word in also),
        tuple(speech),
        tuple(clips),
        tuple(noise),
        tuple(music),
        tuple(rooms),
    )


def _stated_times(recording: Recording) -> tuple[float, float] | None:
    """Start and end in seconds, as the manifest has them."""
    if math.isnan(recording.word_start_s):
        return None
    return recording.word_start_s, recording.word_end_s


def _found_times(
    corpus: Corpus, index: int, word: str, align: Aligner
) -> tuple[float, float] | None:
    """Start and end in seconds, where the word can be found and is long enough for one."""
    transcript = corpus.recordings[index].text
    found = align(corpus.audio(index), corpus.sample_rate, word, transcript)
    if found is None or found.seconds < SHORTEST_WORD_S:
        return None
    return found.start_s, found.end_s


def _aligned(corpus: Corpus, index: int, times_s: tuple[float, float], kinds: Kinds) -> AlignedWord:
    start, end = (round(s * corpus.sample_rate) for s in times_s)
    return AlignedWord(index, start, end, corpus.recordings[index].corpus in kinds.synthetic)
