"""What the clients say: mixtures of real recordings, with wake words at known places.

Streams are cut from a number of mixtures at random samples, so that no two say the same thing
at the same time while memory stays that of the mixtures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wakeword.audio.files import read_audio
from wakeword.audio.pcm import encode_int16
from wakeword.data.manifest import read_manifest
from wakeword.data.mixing import Samples, fit, loudest_rms, mix_at_snr

RATE = 16_000
CHUNK_SAMPLES = 1_280
"""80 ms, one message."""

REPOSITORY = Path(__file__).resolve().parents[2]
SPLIT = "dev"
NOISE_CORPORA = ("esc10", "kitchen20", "moodist", "opensurge", "scbg")
UNHEARD_CORPORA = ("wuw2",)
"""Telephone recordings: the shipped words were not made for them."""

MAX_MIXTURES = 64
SPARE_S = 60.0
"""Mixtures are longer than a stream by this much: where streams may begin."""


class Material(NamedTuple):
    """What mixtures are made of; words: (word, samples)."""

    words: list[tuple[str, Samples]]
    speech: list[Samples]
    noise: list[Samples]
    source: str


class Cut(NamedTuple):
    """The audio of one stream: where it begins in which mixture."""

    mixture: int
    first_sample: int


@dataclass(frozen=True)
class Audio:
    """Mixtures (samples,) int16, the cut of each stream, and what all of it is."""

    mixtures: tuple[NDArray[np.int16], ...]
    cuts: tuple[Cut, ...]
    samples: int
    description: dict[str, object]

    def of(self, stream: int) -> NDArray[np.int16]:
        """The samples (n,) of one stream; not a copy."""
        mixture, first = self.cuts[stream]
        return self.mixtures[mixture][first : first + self.samples]


def make_audio(
    streams: int, seconds: float, words: Sequence[str], manifest: Path | None, seed: int
) -> Audio:
    """Mix and cut; ``manifest`` None means the few sample files of the checkout."""
    rng = np.random.default_rng(seed)
    chunks = max(1, round(seconds * RATE / CHUNK_SAMPLES))
    samples = chunks * CHUNK_SAMPLES
    material = from_manifest(manifest, tuple(words)) if manifest else from_samples()
    count = min(streams, MAX_MIXTURES)
    length = samples + round(SPARE_S * RATE)
    mixtures, spoken = [], 0
    for _ in range(count):
        mixture, places = mix(material, length, rng)
        mixtures.append(mixture)
        spoken += len(places)
    cuts = tuple(Cut(i % count, int(rng.integers(length - samples + 1))) for i in range(streams))
    description = {
        "source": material.source,
        "mixtures": count,
        "words_per_minute": spoken / (count * length / RATE / 60.0),
        "seed": seed,
    }
    return Audio(tuple(mixtures), cuts, samples, description)


@lru_cache(maxsize=1)
def from_manifest(path: Path, words: tuple[str, ...]) -> Material:
    """Words, running speech and noise of the dev split: nothing that the model was trained on."""
    manifest = read_manifest(path)
    here = manifest.where(lambda r: r.split == SPLIT and r.corpus not in UNHEARD_CORPORA)
    return Material(
        [(r.text, read_audio(r.path)) for r in here if r.text in words],
        [read_audio(r.path) for r in here if " " in r.text and not any(map(r.says, words))],
        [read_audio(r.path) for r in here if r.corpus in NOISE_CORPORA],
        f"split {SPLIT} of the manifest with sha256 {manifest.sha256[:12]}",
    )


def from_samples() -> Material:
    """The synthetic voices of ``samples/`` in coloured noise, where there are no recordings."""
    folder = REPOSITORY / "samples"
    said = json.loads((folder / "manifest.json").read_text("utf-8"))["words.flac"]["words"]
    voice, plain = read_audio(folder / "words.flac"), read_audio(folder / "plain.flac")
    words = [
        (w["word"], voice[max(0, round((w["start_s"] - 0.2) * RATE)) : round(w["end_s"] * RATE)])
        for w in said
    ]
    rng = np.random.default_rng(0)
    hiss = 0.01 * rng.standard_normal(20 * RATE, np.float32)
    source = "samples/ of the checkout: few synthetic voices, no recordings"
    return Material(words, [plain], [hiss], source)


def mix(
    material: Material, length: int, rng: np.random.Generator
) -> tuple[NDArray[np.int16], list[tuple[str, int]]]:
    """Words and other speech by turns, noise under everything, 10 to 25 dB below the speech.

    Returns
    -------
    samples (length,) int16
    places
        Each word with the sample where its recording begins.
    """
    talk = np.zeros(length, np.float32)
    places: list[tuple[str, int]] = []
    at = int(rng.integers(RATE))
    while at < length:
        if rng.random() < 0.6:
            word, piece = material.words[int(rng.integers(len(material.words)))]
            places.append((word, at))
        else:
            speech = material.speech[int(rng.integers(len(material.speech)))]
            piece = fit(speech, int(rng.integers(RATE, 4 * RATE)), rng)
        piece = levelled(piece, rng)[: length - at]
        talk[at : at + len(piece)] = piece
        at += len(piece) + int(rng.integers(RATE // 5, RATE))
    noise = material.noise[int(rng.integers(len(material.noise)))]
    mixed = mix_at_snr(talk, fit(noise, length, rng), float(rng.uniform(10.0, 25.0)), RATE)
    return encode_int16(np.clip(mixed, -1.0, 1.0)), places


def levelled(piece: Samples, rng: np.random.Generator) -> Samples:
    """``piece`` with its loudest part at -32 to -20 dB of full scale."""
    level = loudest_rms(piece, RATE)
    wanted = 10.0 ** (float(rng.uniform(-32.0, -20.0)) / 20.0)
    return piece * np.float32(wanted / level) if level > 0.0 else piece
