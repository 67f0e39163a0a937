"""A command set of tones: two words, two others, a sentence and a hum, in memory or as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bundles import RATE
from numpy.typing import NDArray
from tone_manifest import ToneManifest

from wakeword.data.corpus import Corpus
from wakeword.data.manifest import Recording

__all__ = ["RATE", "command_corpus", "command_manifest"]
TONES_HZ = {"low": 500.0, "high": 2500.0, "middle": 1200.0, "other": 4000.0}
CLIPS = {"low": 12, "high": 8, "middle": 4, "other": 3}


def tone(word: str, seed: int) -> NDArray[np.float32]:
    """A clip of 0.8 to 1 s with a burst of the word's tone in the middle, silence around it."""
    rng = np.random.default_rng([seed, len(word)])
    clip = np.zeros(int(rng.integers(int(0.8 * RATE), RATE)), np.float32)
    start, length = int(rng.integers(2_000, 4_500)), int(0.4 * RATE)
    t = np.arange(length) / RATE
    hz = TONES_HZ[word] * rng.uniform(0.95, 1.05)
    clip[start : start + length] = rng.uniform(0.1, 0.4) * np.sin(2 * np.pi * hz * t + 0.3)
    return clip


def sounds() -> list[tuple[str, str, NDArray[np.float32]]]:
    """Corpus, text and samples of every recording."""
    rng = np.random.default_rng(5)
    made = [
        ("clips", word, tone(word, k)) for word, clips in CLIPS.items() for k in range(clips)
    ]
    for text in ("a sentence without them", "this is low"):
        made.append(("talk", text, (0.1 * rng.standard_normal(3 * RATE)).astype(np.float32)))
    hum = (0.2 * rng.standard_normal(2 * RATE)).clip(-0.5, 0.5).astype(np.float32)
    return [*made, ("hum", "hum", hum)]


def command_corpus() -> Corpus:
    """All of it, at ``RATE``, as training reads it."""
    made = sounds()
    recordings = tuple(
        Recording(Path(f"{i}.wav"), corpus, text, f"s{i}", "train", np.nan, np.nan, len(x) / RATE)
        for i, (corpus, text, x) in enumerate(made)
    )
    pcm = [np.rint(x * 32768.0).clip(-32768, 32767).astype(np.int16) for _, _, x in made]
    offsets = np.cumsum([0, *map(len, pcm)], dtype=np.int64)
    return Corpus(recordings, offsets, np.concatenate(pcm), RATE)


def command_manifest(folder: Path) -> Path:
    """Files and manifest with the same in the splits train and dev."""
    made = ToneManifest(folder, [])
    for split in ("train", "dev"):
        for i, (corpus, text, samples) in enumerate(sounds()):
            made.add(f"{split}-{i}", samples, text, corpus, split, f"{split}-{i}")
    return made.save()
