"""What training draws from: aligned words, negative speech, noise, music and rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.data.align import SHORTEST_WORD_S, align_word
from wakeword.data.corpus import Corpus
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
    """Everything one split offers to the scene maker; indices point into ``corpus``."""

    corpus: Corpus
    words: tuple[tuple[AlignedWord, ...], ...]
    speech: tuple[int, ...]
    clips: tuple[int, ...]
    noise: tuple[int, ...]
    music: tuple[int, ...]
    rooms: tuple[NDArray[np.float32], ...]
    mined: tuple[Mined, ...] = ()


def collect(
    corpus: Corpus, labels: Sequence[str], kinds: Kinds, rooms: Sequence[NDArray[np.float32]]
) -> Sources:
    """Sort the recordings of ``corpus`` into words, speech, short clips, noise and music.

    A recording whose text is exactly a label is that word, at its stated times or aligned; so is
    a sentence whose stated times are those of a label. One whose transcript merely holds a label
    is left out, since nobody knows where it is. A recording
    without a transcript is taken at its corpus's word: it is negative.

    Raises
    ------
    ManifestError
        A label has no usable recording, or there is no noise or no negative speech.
    """
    words: list[list[AlignedWord]] = [[] for _ in labels]
    speech: list[int] = []
    clips: list[int] = []
    noise: list[int] = []
    music: list[int] = []
    vocabulary = Vocabulary.of(corpus.recordings)
    for i, r in enumerate(corpus.recordings):
        said = r.text if r.text in labels else vocabulary.timed_word(r)
        if r.corpus in kinds.noise:
            (music if r.corpus in kinds.music else noise).append(i)
        elif said in labels:
            word = _aligned(corpus, i, r.corpus in kinds.synthetic)
            if word is not None:
                words[labels.index(said)].append(word)
        elif not any(r.says(label) for label in labels):
            running = " " in r.text or not r.text  # one word, or no transcript at all
            (speech if r.seconds >= 2.0 and running else clips).append(i)
    for label, found in zip(labels, words, strict=True):
        if not found:
            raise ManifestError(f"no usable recording of '{label}' in the training split")
    for name, found_kind in (("noise", noise), ("negative speech", speech or clips)):
        if not found_kind:
            raise ManifestError(f"the training split holds no {name}")
    return Sources(
        corpus,
        tuple(map(tuple, words)),
        tuple(speech),
        tuple(clips),
        tuple(noise),
        tuple(music),
        tuple(rooms),
    )


def _aligned(corpus: Corpus, index: int, synthetic: bool) -> AlignedWord | None:
    recording, rate = corpus.recordings[index], corpus.sample_rate
    start_s, end_s = recording.word_start_s, recording.word_end_s
    if start_s != start_s:
        times = align_word(corpus.audio(index), rate)
        if times is None or times.seconds < SHORTEST_WORD_S:
            return None
        start_s, end_s = times.start_s, times.end_s
    return AlignedWord(index, round(start_s * rate), round(end_s * rate), synthetic)
