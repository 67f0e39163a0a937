"""A small manifest of real files whose words are the tone bursts that the tiny bundle hears."""

from __future__ import annotations

import csv
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bundles import RATE, TONES_HZ, with_bursts
from numpy.typing import NDArray

from wakeword.data.manifest import COLUMNS

LOW, HIGH = TONES_HZ
SENTENCE = "there is no word of ours in this sentence"


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = RATE) -> None:
    """Write 16 bit mono."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((samples.clip(-1.0, 1.0) * 32_767.0).astype("<i2").tobytes())


@dataclass
class ToneManifest:
    """Collects rows and writes their audio; :meth:`save` writes the manifest."""

    folder: Path
    rows: list[dict[str, str]]

    @property
    def path(self) -> Path:
        """Where the manifest is."""
        return self.folder / "manifest.csv"

    def add(
        self,
        name: str,
        samples: NDArray[np.float32],
        text: str,
        corpus: str = "clips",
        split: str = "dev",
        speaker: str = "s1",
        times: tuple[float, float] | None = None,
    ) -> None:
        """One recording."""
        write_wav(self.folder / f"{name}.wav", samples)
        start, end = ("", "") if times is None else map(str, times)
        values = (
            f"{name}.wav", corpus, text, speaker, split, start, end, str(len(samples) / RATE)
        )  # fmt: skip
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))

    def save(self) -> Path:
        """Write the manifest and return its path."""
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            out = csv.DictWriter(file, COLUMNS)
            out.writeheader()
            out.writerows(self.rows)
        return self.path


def tone_manifest(folder: Path, clips: int = 4, talks: int = 8) -> ToneManifest:
    """Clips of both words, running speech (shaped noise) and a noise corpus; all of them dev."""
    rng = np.random.default_rng(7)
    made = ToneManifest(folder, [])
    for word in (LOW, HIGH):
        for i in range(clips):
            samples = 0.1 * with_bursts(1.5, [(0.5, word)], noise=0.002)
            made.add(f"{word.split()[0]}-{i}", samples, word, speaker=f"s{i % 2}")
    for i in range(talks):
        shape = np.repeat(rng.random(12) ** 2, RATE // 4)
        samples = (0.2 * shape * rng.standard_normal(len(shape))).astype(np.float32)
        made.add(f"talk-{i}", samples, SENTENCE, "talk", speaker=f"t{i}")
    for i in range(3):
        samples = (0.05 * rng.standard_normal(4 * RATE)).astype(np.float32)
        made.add(f"noise-{i}", samples, "hiss", "noise", speaker="")
    made.save()
    return made
