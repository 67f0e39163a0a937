"""Which phrase is said by which voice, how fast and how high: drawn from a seed."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from wakeword.data.synthesis.voices import Voice
from wakeword.errors import ConfigError

WORDS, NEAR_MISSES = "synthetic", "synthetic-near-miss"
"""Corpora of the manifest."""
PACE = (0.72, 1.4)
"""Times as fast as the voice's own pace."""
RECORDED_SHARE = 0.3
"""So many takes of a phrase are by voices made from recordings of people, if there are any."""
ENDINGS = ("", "", "!", "?", ",")
"""Punctuation is intonation: mostly a plain ending."""


@dataclass(frozen=True)
class Take:
    """One phrase said once.

    pace
        Times as fast as the voice's own pace.
    pitch
        From -1, as low as the voice goes, to 1.
    ending
        Punctuation that gives the phrase its intonation.
    """

    text: str
    corpus: str
    voice: Voice
    pace: float
    pitch: float
    ending: str = ""

    def __post_init__(self) -> None:
        if not 0.5 <= self.pace <= 2.0 or not -1.0 <= self.pitch <= 1.0:
            raise ConfigError(
                f"pace {self.pace} must be in [0.5, 2] and pitch {self.pitch} in [-1, 1]"
            )

    @property
    def path(self) -> PurePosixPath:
        """Of its file inside the folder: other takes have other names."""
        key = repr((self.text, self.voice, self.pace, self.pitch, self.ending))
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        names = (re.sub(r"[^\w]+", "-", n).strip("-") for n in (self.text, self.voice.name))
        text, voice = names
        return PurePosixPath(self.corpus, text, f"{self.voice.engine}-{voice}-{digest}.flac")


def plan_takes(
    texts: Sequence[str], corpus: str, voices: Sequence[Voice], count: int, seed: int
) -> list[Take]:
    """Draw ``count`` takes of each text.

    No voice says a text twice before every other of its kind has said it once. What is drawn for
    a text depends on the seed and the text, not on which others there are.
    """
    takes: list[Take] = []
    for text in texts:
        rng = np.random.default_rng([seed, zlib.crc32(f"{corpus}/{text}".encode())])
        recorded = [v for v in voices if v.recorded]
        formulas = [v for v in voices if not v.recorded]
        many = _share(count, recorded, formulas)
        chosen = _in_turn(recorded, many, rng) + _in_turn(formulas, count - many, rng)
        for voice in chosen:
            pace = float(np.round(np.exp(rng.uniform(*np.log(PACE))), 2))
            pitch = float(np.round(rng.uniform(-1.0, 1.0), 2))
            ending = ENDINGS[int(rng.integers(len(ENDINGS)))]
            takes.append(Take(text, corpus, voice, pace, pitch, ending))
    return takes


def _share(count: int, recorded: Sequence[Voice], formulas: Sequence[Voice]) -> int:
    if not formulas or not recorded:
        return count if recorded else 0
    return round(count * RECORDED_SHARE)


def _in_turn(voices: Sequence[Voice], count: int, rng: np.random.Generator) -> list[Voice]:
    """``count`` voices: speakers in random order, again and again, each time in another voice."""
    if not voices:
        return []
    by_speaker: dict[str, list[Voice]] = {}
    for i in rng.permutation(len(voices)):
        by_speaker.setdefault(voices[int(i)].speaker, []).append(voices[int(i)])
    rounds = range(-(-count // len(by_speaker)))
    turns = [own[r % len(own)] for r in rounds for own in by_speaker.values()]
    return turns[:count]
