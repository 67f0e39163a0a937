"""Which recordings of a manifest are which class, and how a recording becomes a clip."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.corpus import Corpus
from wakeword.data.manifest import Recording
from wakeword.data.sources import AlignedWord, Kinds, Sources
from wakeword.errors import ManifestError

Samples = NDArray[np.float32]


def is_single_word(recording: Recording) -> bool:
    """Whether one word is said and nothing else."""
    return bool(recording.text) and " " not in recording.text


def collect_commands(
    corpus: Corpus, words: Sequence[str], config: CommandsConfig, kinds: Kinds
) -> Sources:
    """Sort recordings into words, unknown words (``clips``), running speech and background.

    No word is looked for inside a recording: what is trained on is the clip as it is. Running
    speech that says one of the words is left out.

    Raises
    ------
    ManifestError
        A word, or a class that ``config`` asks for, has no recording.
    """
    found: dict[str, list[AlignedWord]] = {word: [] for word in words}
    unknown: list[int] = []
    speech: list[int] = []
    noise: list[int] = []
    for i, r in enumerate(corpus.recordings):
        if r.corpus in kinds.noise:
            noise.append(i)
        elif r.text in found:
            length = int(corpus.offsets[i + 1] - corpus.offsets[i])
            found[r.text].append(AlignedWord(i, 0, length, r.corpus in kinds.synthetic))
        elif is_single_word(r):
            unknown.append(i)
        elif not any(r.says(word) for word in words):
            speech.append(i)
    for word, of_word in found.items():
        if not of_word:
            raise ManifestError(f"no recording of '{word}' in the training split")
    _check(config, unknown, speech, noise)
    taken = tuple(tuple(found[word]) for word in words)
    return Sources(corpus, taken, (), tuple(speech), tuple(unknown), tuple(noise), (), ())


def _check(
    config: CommandsConfig,
    unknown: Collection[int],
    speech: Collection[int],
    noise: Collection[int],
) -> None:
    wanted = {
        "other word (commands.unknown)": config.unknown > 0.0 and config.speech < 1.0,
        "running speech (commands.speech)": config.unknown > 0.0 and config.speech > 0.0,
        "noise (commands.background, commands.silence)": max(config.background, config.silence)
        > 0.0,
    }
    for (name, needed), pool in zip(wanted.items(), (unknown, speech, noise), strict=True):
        if needed and not pool:
            raise ManifestError(f"the training split holds no recording of {name}")


def fit_clip(samples: Samples, length: int) -> Samples:
    """A clip of ``length`` samples: zeros after a shorter one, of a longer one the loudest part."""
    if len(samples) <= length:
        return np.pad(samples, (0, length - len(samples)))
    energy = np.cumsum(np.square(samples, dtype=np.float64))
    before = np.concatenate([[0.0], energy[:-length]])
    start = int(np.argmax(energy[length - 1 :] - before))
    return samples[start : start + length]
