"""Under what clips of the words are heard: noise or babble at an SNR, a line, and a distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from wakeword.errors import ConfigError

Kind = Literal["clean", "sentence", "telephone", "noise", "babble"]
_WITHOUT_SNR = {"clean": "clean", "sentence": "in sentences", "telephone": "over a telephone"}
"""Kinds that have none, and what they are called."""

NEAREST_M, FARTHEST_M = 0.1, 10.0


@dataclass(frozen=True)
class Condition:
    """What clips are mixed with, how loud, and from how far they are heard.

    kind
        ``clean`` and ``sentence`` are as recorded: words alone, and words inside sentences.
        ``telephone`` is words alone over a simulated line.
    snr_db
        Infinite where nothing is mixed in.
    distance_m
        Metres from talker to microphone in a simulated room; None is as recorded.
    """

    kind: Kind
    snr_db: float = math.inf
    distance_m: float | None = None

    def __post_init__(self) -> None:
        without = self.kind in _WITHOUT_SNR
        if without != math.isinf(self.snr_db) or not (without or -40.0 <= self.snr_db <= 80.0):
            raise ConfigError(f"{self.kind} at {self.snr_db} dB SNR; it must be from -40 to 80 dB")
        if self.distance_m is not None and not NEAREST_M <= self.distance_m <= FARTHEST_M:
            raise ConfigError(
                f"a talker {self.distance_m} m away; it must be from {NEAREST_M:g} to "
                f"{FARTHEST_M:g} m"
            )

    @property
    def mixture(self) -> str:
        """What is mixed in, whatever the distance: ``clean``, ``noise at 10 dB SNR``."""
        if self.kind in _WITHOUT_SNR:
            return _WITHOUT_SNR[self.kind]
        return f"{self.kind} at {self.snr_db:g} dB SNR"

    @property
    def name(self) -> str:
        """As reports and operating points call it: ``noise at 10 dB SNR, 2 m away``."""
        far = "" if self.distance_m is None else f", {self.distance_m:g} m away"
        return self.mixture + far

    @property
    def as_recorded(self) -> bool:
        """Whether clips are heard as they are."""
        return self.kind in ("clean", "sentence") and self.distance_m is None
