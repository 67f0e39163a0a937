"""Scenes to features, through the one front end, with a random vocal tract for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.data.scenes import Scene
from wakeword.errors import ConfigError
from wakeword.frontend import Frontend
from wakeword.frontend.mel import mel_filters

FORMANTS_HZ = (500.0, 1000.0, 1700.0, 2600.0, 3700.0, 5200.0)
"""Where vowels have their formants, about."""


@dataclass(frozen=True)
class FeatureConfig:
    """Augmentation between power spectrum and mel: vocal tract warp and band limits."""

    warp: tuple[float, float] = (0.84, 1.18)
    warp_steps: int = 18
    unwarped: float = 0.25
    band: float = 0.15
    bend: float = 0.0

    def __post_init__(self) -> None:
        if not 0.7 <= self.warp[0] <= self.warp[1] <= 1.4:
            raise ConfigError(f"features.warp = {self.warp} must be low, high within [0.7, 1.4]")
        if not 2 <= self.warp_steps <= 200:
            raise ConfigError(f"features.warp_steps = {self.warp_steps} must be in [2, 200]")
        if not 0.0 <= self.bend <= 0.15:
            raise ConfigError(f"features.bend = {self.bend} must be in [0, 0.15]")
        for name in ("unwarped", "band"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"features.{name} = {getattr(self, name)} must be in [0, 1]")


class SceneFeatures:
    """Computes features of scenes of one length, at its front end's rate; holds filter banks."""

    def __init__(self, frontend: Frontend, config: FeatureConfig) -> None:
        self.frontend = frontend
        self.config = config
        warps = np.linspace(*config.warp, config.warp_steps)
        self._banks = [mel_filters(frontend.config, float(w)) for w in warps]
        self._plain = mel_filters(frontend.config)

    def compute(self, scenes: Sequence[Scene], rng: np.random.Generator) -> NDArray[np.float16]:
        """Return features (scenes, frames, channels); silence before a stream begins."""
        front = self.frontend
        power = front.power(np.stack([s.samples for s in scenes]))
        energies = np.stack([self._energies(p, rng) for p in power])
        out = np.empty((*energies.shape[:2], front.config.channels), np.float16)
        begins = np.array([s.begin // front.config.hop_samples for s in scenes])
        for begin in np.unique(begins):
            same = begins == begin
            heard = energies[same, begin:]
            new = np.full((len(heard), heard.shape[2]), np.nan, np.float32)
            out[same, :begin] = front.silence()
            out[same, begin:] = front.compress(heard, front.smooth(heard, new))
        return out

    def _energies(
        self, power: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Mel energies (frames, n_mels) of one scene, in a random vocal tract and band."""
        if rng.random() < self.config.band:
            power = power * self._band(rng)
        plain = rng.random() < self.config.unwarped
        bank = self._plain if plain else self._banks[int(rng.integers(len(self._banks)))]
        if self.config.bend > 0.0 and not plain:
            power = self._bent(power, rng)
        return self.frontend.energies(power, bank)

    def _bent(self, power: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Power (frames, bins) with each region of formants moved by itself.

        Two people do not differ by the length of the vocal tract alone, which moves all
        formants by one factor: each ``FORMANTS_HZ`` is moved by its own, what lies between
        is stretched.
        """
        bins = power.shape[1]
        top = self.frontend.config.sample_rate / 2
        knots = np.array([0.0, *(hz for hz in FORMANTS_HZ if hz < 0.9 * top), top])
        moved = knots.copy()
        moved[1:-1] *= 1.0 + rng.normal(0.0, self.config.bend, len(knots) - 2)
        source = np.interp(np.linspace(0.0, top, bins), np.sort(moved), knots) / top * (bins - 1)
        low = np.minimum(source.astype(np.int64), bins - 2)
        share = (source - low).astype(np.float32)
        bent: NDArray[np.float32] = power[:, low] * (1.0 - share) + power[:, low + 1] * share
        return bent

    def _band(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """A telephone, a small loudspeaker or a dull microphone: 40 dB down outside a band."""
        rate, bins = self.frontend.config.sample_rate, self.frontend.config.fft_size // 2 + 1
        hz = np.linspace(0, rate / 2, bins)
        low, high = rng.uniform(50.0, 400.0), rng.uniform(3300.0, 7000.0)
        return np.where((hz < low) | (hz > high), 1e-4, 1.0).astype(np.float32)
