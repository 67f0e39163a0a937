"""How often scenes hold what, and within what limits: the ``[scenes]`` of a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from wakeword.errors import ConfigError

SHARES = (
    *("positives", "clean", "faint", "room", "microphone", "synthetic", "carrier", "fresh"),
    *("paced", "syllabic", "spliced", "ended", "knocks", "near_miss", "mined", "also"),
    *("telephone", "telephone_others"),
)
"""The fields of :class:`SceneConfig` that are probabilities."""


@dataclass(frozen=True)
class SceneConfig:
    """How scenes are drawn. Probabilities in [0, 1], levels in dB, times in seconds."""

    seconds: float = 3.2
    positives: float = 0.5
    also: float = 0.0
    word_end_s: tuple[float, float] = (2.0, 2.6)
    snr_db: tuple[float, float] = (-5.0, 15.0)
    faint_snr_db: tuple[float, float] = (15.0, 40.0)
    clean: float = 0.2
    faint: float = 0.15
    room: float = 0.4
    microphone: float = 0.6
    telephone: float = 0.0
    telephone_others: float = 0.0
    knocks: float = 0.0
    level_db: tuple[float, float] = (-48.0, -8.0)
    speed: tuple[float, float] = (0.82, 1.22)
    paced: float = 0.7
    tempo: tuple[float, float] = (0.62, 1.25)
    uneven: float = 0.0
    stress_db: float = 0.0
    syllabic: float = 0.25
    pause_s: tuple[float, float] = (0.0, 0.2)
    drawn: float = 0.0
    synthetic: float = 0.12
    spliced: float = 0.0
    carrier: float = 0.25
    fresh: float = 0.1
    near_miss: float = 0.12
    ended: float = 0.0
    mined: float = 0.3

    def __post_init__(self) -> None:
        for name in SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"scenes.{name} = {getattr(self, name)} must be in [0, 1]")
        for name, most in (("uneven", 0.5), ("drawn", 0.5), ("stress_db", 12.0)):
            if not 0.0 <= getattr(self, name) <= most:
                raise ConfigError(f"scenes.{name} = {getattr(self, name)} must be in [0, {most:g}]")
        if not 0.0 <= self.pause_s[0] <= self.pause_s[1] <= 1.0:
            raise ConfigError(f"scenes.pause_s = {self.pause_s} must be in [0, 1], low first")
        for name in ("word_end_s", "snr_db", "faint_snr_db", "level_db", "speed", "tempo"):
            low, high = getattr(self, name)
            if not low <= high:
                raise ConfigError(f"scenes.{name} = [{low}, {high}] must be low, then high")
        for name in ("speed", "tempo"):
            if not 0.5 <= getattr(self, name)[0] <= getattr(self, name)[1] <= 2.0:
                raise ConfigError(f"scenes.{name} = {getattr(self, name)} must be in [0.5, 2]")
        if not 2.0 <= self.word_end_s[0] <= self.word_end_s[1] <= self.seconds - 0.5:
            raise ConfigError(
                f"scenes.word_end_s = {self.word_end_s} must be in [2, {self.seconds - 0.5}]"
            )
