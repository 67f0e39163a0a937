"""The Speech Commands protocol as data: classes, shares, augmentation, the official split.

Warden 2018 (the data set), Choi et al. 2019, section 3.1 (TC-ResNet) and Mo et al. 2020, section
4.1 state it; where they differ, the field says so. Class 0 is silence, then come the words, then
unknown: all other words together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from wakeword.errors import ConfigError

SILENCE, UNKNOWN = "silence", "unknown"

TEN_WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
"""With unknown and silence the 12 classes of the papers, in both versions of the data set."""

V1_OTHERS = (
    *("bed", "bird", "cat", "dog", "eight", "five", "four", "happy", "house", "marvin"),
    *("nine", "one", "seven", "sheila", "six", "three", "tree", "two", "wow", "zero"),
)
"""The other words of version 0.01, 30 in all."""

V2_OTHERS = (*V1_OTHERS, "backward", "follow", "forward", "learn", "visual")
"""The other words of version 0.02: with the ten, the 35 classes."""

_BUCKETS = 2**27 - 1
_SHARES = ("unknown", "silence", "speech", "background", "background_volume", "silence_volume")


@dataclass(frozen=True)
class CommandsConfig:
    """How the clips of a command set are made: the ``[commands]`` of a recipe.

    unknown, silence
        Clips of these classes for each clip of a word; 0: there is no such class (35 classes).
    speech
        Share of the unknown clips that are cut from running speech. Ours: single words alone do
        not teach a network what to do in a conversation.
    background
        Share of clips with background noise: 0.8.
    background_volume
        The noise is multiplied by U(0, this) before it is added (Choi et al.). With
        ``background_snr_db``, low and high, it is added at U(low, high) dB under the clip instead,
        for noise whose level means nothing.
    silence_volume
        Silence is a stretch of noise multiplied by U(0, this).
    shift_s
        The clip is moved by U(-this, this), with zeros where nothing is left.

    The band filter of 20 Hz to 4 kHz is that of the mel filters (Mo et al. take it from Honk,
    where it is): ``f_min_hz`` and ``f_max_hz`` of the front end, so that a model hears as it
    learnt.
    """

    clip_s: float = 1.0
    unknown: float = 0.1
    silence: float = 0.1
    speech: float = 0.0
    background: float = 0.8
    background_volume: float = 0.1
    background_snr_db: tuple[float, float] | None = None
    silence_volume: float = 1.0
    shift_s: float = 0.1

    def __post_init__(self) -> None:
        if not 0.1 <= self.clip_s <= 10.0:
            raise ConfigError(f"commands.clip_s = {self.clip_s} must be between 0.1 and 10 s")
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"commands.{name} = {getattr(self, name)} must be in [0, 1]")
        if not 0.0 <= self.shift_s < self.clip_s:
            raise ConfigError(
                f"commands.shift_s = {self.shift_s} must be at least 0 and less than clip_s = "
                f"{self.clip_s}"
            )
        snr = self.background_snr_db
        if snr is not None and not -40.0 <= snr[0] <= snr[1] <= 80.0:
            raise ConfigError(
                f"commands.background_snr_db = {list(snr)} must be low, high from -40 to 80 dB"
            )

    @property
    def beside(self) -> tuple[str, ...]:
        """Classes beside silence and the words."""
        return (UNKNOWN,) if self.unknown > 0.0 else ()

    def classes(self, words: Sequence[str]) -> tuple[str, ...]:
        """What the network tells apart, in the order of its outputs."""
        return (SILENCE, *words, *self.beside)


def which_split(name: str, dev_percent: float = 10.0, test_percent: float = 10.0) -> str:
    """Split of a clip by the hash of its speaker: the published function of the data set.

    Parameters
    ----------
    name
        File name; what comes from ``_nohash_`` on does not matter, so that all clips of a
        speaker, in all words and versions, are in one split.
    """
    speaker = name.rpartition("/")[2].partition("_nohash_")[0]
    digest = int(hashlib.sha1(speaker.encode()).hexdigest(), 16)
    percent = digest % (_BUCKETS + 1) * (100.0 / _BUCKETS)
    if percent < dev_percent:
        return "dev"
    return "test" if percent < dev_percent + test_percent else "train"
