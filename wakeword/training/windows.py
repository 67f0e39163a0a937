"""Windows cut from scenes, with their labels: the timing jitter and the parts of words.

In a scene with a word, a window is that word's if it holds all of it; it is background if it
ends before 55 % of the word is through. What lies between is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError
from wakeword.frontend import FrontendConfig


@dataclass(frozen=True)
class WindowConfig:
    """How windows are cut and masked; frames are 10 ms with the default front end."""

    frames: int = 151
    earliest_after_end: int = 3
    latest_after_end: int = 65
    parts: float = 0.15
    part_of_word: float = 0.55
    masked: float = 0.5
    time_masks: int = 2
    time_mask_frames: int = 14
    channel_masks: int = 2
    channel_mask_width: int = 5

    def __post_init__(self) -> None:
        for name in ("parts", "part_of_word", "masked"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"windows.{name} = {getattr(self, name)} must be in [0, 1]")
        if not 0 <= self.earliest_after_end < self.latest_after_end <= self.frames:
            raise ConfigError(
                f"windows: 0 <= earliest_after_end = {self.earliest_after_end} < latest_after_end "
                f"= {self.latest_after_end} <= frames = {self.frames} must hold"
            )


@dataclass(frozen=True)
class SceneArrays:
    """Many scenes: features (n, frames, channels) float16; label, start and end (n,) in frames.

    ``start`` and ``end`` are the first frame of the word and the first one that has all of it
    behind it; for a background scene with ``end > 0`` windows are to end near ``end``.
    """

    features: NDArray[np.float16]
    label: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    @staticmethod
    def concatenate(parts: list[SceneArrays]) -> SceneArrays:
        """One after the other."""
        return SceneArrays(
            *(
                np.concatenate([getattr(p, n) for p in parts])
                for n in ("features", "label", "start", "end")
            )
        )


def frame_times(start: int, end: int, config: FrontendConfig) -> tuple[int, int]:
    """Word times in samples to first and last frames, as :class:`SceneArrays` has them."""
    after = -(-(end - config.window_samples) // config.hop_samples) + 1
    return start // config.hop_samples, max(0, after)


def cut(
    scenes: SceneArrays, chosen: NDArray[np.int64], config: WindowConfig, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One random window of each chosen scene: (batch, frames, channels) float32 and labels."""
    last = scenes.features.shape[1]
    label, start, end = scenes.label[chosen], scenes.start[chosen], scenes.end[chosen]
    low = np.full(len(chosen), config.frames)
    high = np.full(len(chosen), last)

    focused = (label == 0) & (end > 0)
    low = np.where(focused, end - 15, low)
    high = np.where(focused, end + 25, high)

    word = label > 0
    part = word & (rng.random(len(chosen)) < config.parts)
    through = start + (config.part_of_word * (end - start)).astype(np.int64)
    low, high = np.where(part, through - 40, low), np.where(part, through, high)
    whole = word & ~part
    earliest = end + config.earliest_after_end
    latest = np.minimum(end + config.latest_after_end, start + config.frames)
    low, high = np.where(whole, earliest, low), np.where(whole, latest, high)

    low = np.clip(low, config.frames, last)
    high = np.clip(high, low, last)
    ends = rng.integers(low, high + 1)
    frames = ends[:, None] - config.frames + np.arange(config.frames)
    windows = scenes.features[chosen[:, None], frames].astype(np.float32)
    return windows, np.where(part, 0, label)


def mask(
    windows: NDArray[np.float32],
    config: WindowConfig,
    rng: np.random.Generator,
    scales: int = 1,
) -> NDArray[np.float32]:
    """SpecAugment (Park et al. 2019) without time warping: stretches set to the window's mean.

    The channels lie on so many ``scales``, one behind the other: each is masked alike, with its own
    mean.
    """
    masked = rng.random(len(windows)) < config.masked
    batch, frames, channels = windows.shape
    apart = windows.reshape(batch, frames, scales, channels // scales)
    mean = apart.mean((1, 3), keepdims=True)
    for i in np.flatnonzero(masked):
        for _ in range(config.time_masks):
            width = int(rng.integers(config.time_mask_frames + 1))
            at = int(rng.integers(apart.shape[1] - width + 1))
            apart[i, at : at + width] = mean[i]
        for _ in range(config.channel_masks):
            width = int(rng.integers(config.channel_mask_width + 1))
            at = int(rng.integers(apart.shape[3] - width + 1))
            apart[i, :, :, at : at + width] = mean[i]
    return apart.reshape(windows.shape)
