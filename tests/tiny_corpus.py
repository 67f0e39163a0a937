"""A corpus in memory whose words are bursts at known times: what data and training are fed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.resample import MODEL_RATE as RATE
from wakeword.data.corpus import Corpus
from wakeword.data.manifest import Recording
from wakeword.data.sources import Kinds

Samples = NDArray[np.float32]

WORDS = ("alpha", "beta wave")
WORD_HZ = {"alpha": 700.0, "beta wave": 1900.0}
WORD_S = (0.5, 0.9)
"""Where each word is in its clip of ``CLIP_S``."""
CLIP_S = 1.5
SENTENCE = "nothing of ours is said here"
KINDS = Kinds(frozenset({"hum", "tune"}), frozenset({"tune"}), frozenset({"robot"}))


def burst(seconds: float, start_s: float, end_s: float, hz: float = 0.0, seed: int = 0) -> Samples:
    """Samples (n,) of ``seconds``: a tone, or noise where ``hz`` is 0, in between; else zero."""
    out = np.zeros(round(seconds * RATE), np.float32)
    at = slice(round(start_s * RATE), round(end_s * RATE))
    n = len(out[at])
    noise = np.random.default_rng(seed).standard_normal(n, np.float32)
    out[at] = 0.1 * (np.sin(2 * np.pi * hz / RATE * np.arange(n)) if hz else noise)
    return out


def faint(samples: Samples, level: float = 1e-4, seed: int = 9) -> Samples:
    """The same with a room's faint noise."""
    noise = np.random.default_rng(seed).standard_normal(len(samples), np.float32)
    return samples + np.float32(level) * noise


def recording(
    text: str,
    corpus: str = "clips",
    seconds: float = CLIP_S,
    times_s: tuple[float, float] = (np.nan, np.nan),
) -> Recording:
    """A row of a manifest; no file belongs to it."""
    return Recording(Path("none.wav"), corpus, text, "s1", "train", *times_s, seconds)


def corpus_of(rows: Sequence[tuple[Recording, Samples]]) -> Corpus:
    """Recordings with their samples, as :func:`wakeword.data.corpus.load_corpus` gives them."""
    pieces = [
        np.rint(samples * 32_768.0).clip(-32_768, 32_767).astype(np.int16) for _, samples in rows
    ]
    offsets = np.cumsum([0, *(len(p) for p in pieces)], dtype=np.int64)
    return Corpus(tuple(r for r, _ in rows), offsets, np.concatenate(pieces), RATE)


def words_and_company(clips: int = 3) -> Corpus:
    """Clips of both words with and without times, synthetic ones, speech, noise and music."""
    rng = np.random.default_rng(3)
    rows = []
    for word, hz in WORD_HZ.items():
        clip = burst(CLIP_S, *WORD_S, hz)
        rows += [(recording(word, times_s=WORD_S), clip) for _ in range(clips)]
        rows.append((recording(word, "robot", times_s=WORD_S), clip))
    for i in range(3):
        envelope = np.repeat(rng.random(40) ** 2, RATE // 8)
        talk = (0.2 * envelope * rng.standard_normal(len(envelope))).astype(np.float32)
        rows.append((recording(SENTENCE, "talk", len(talk) / RATE), talk))
        rows.append((recording("gamma"), burst(CLIP_S, *WORD_S, seed=i)))
        hum = 0.05 * rng.standard_normal(3 * RATE).astype(np.float32)
        rows.append((recording("fan", "hum", 3.0), hum))
        rows.append((recording("song", "tune", 2.0), burst(2.0, 0.0, 2.0, 300.0)))
    return corpus_of(rows)
