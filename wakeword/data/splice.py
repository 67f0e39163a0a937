"""One word said by two: the beginning of one utterance and the end of another.

Training hears each word from a few dozen people. Joined where both are at the same sound, their
utterances make as many new ones as there are pairs, and none that could be known by heart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from wakeword.data.mixing import loudest_rms
from wakeword.frontend.config import FrontendConfig
from wakeword.frontend.mel import mel_filters

Samples = NDArray[np.float32]
Path = NDArray[np.int64]

_HOP_S = 0.02
_FADE_S = 0.01


def splice(first: Samples, second: Samples, rate: int, at: float) -> Samples:
    """Join two utterances (n,), (m,) of a word, each cut to it: the first until ``at`` (0 to 1).

    Dynamic time warping of their spectra (Sakoe and Chiba 1978) says where the second is at the
    sound at which the first is left. It is made as loud as the first, and faded in over 10 ms.
    Utterances of less than 80 ms are not joined.
    """
    hop = round(_HOP_S * rate)
    if min(len(first), len(second)) < 8 * hop:
        return first
    path = warping_path(_spectra(first, rate), _spectra(second, rate))
    here = round(at * int(path[-1, 0]))
    there = round(float(np.median(path[path[:, 0] == here, 1])))
    left, right = first[: here * hop], second[there * hop :]
    level = loudest_rms(second, rate)
    gain = loudest_rms(first, rate) / level if level > 0.0 else 1.0
    right = right * np.float32(gain)
    n = min(round(_FADE_S * rate), len(right), len(first) - len(left))
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    right[:n] = right[:n] * ramp + first[len(left) : len(left) + n] * ramp[::-1]
    return np.concatenate([left, right])


def warping_path(first: NDArray[np.float64], second: NDArray[np.float64]) -> Path:
    """The pairs (steps, 2) of frames of (n, bands) and (m, bands) at the least total distance.

    From first to last frames; each step goes on by one frame in one of them or in both.
    """
    distance = cdist(first, second)
    n, m = distance.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(2, n + m + 1):
        i = np.arange(max(1, diagonal - m), min(n, diagonal - 1) + 1)
        j = diagonal - i
        before = np.minimum(total[i - 1, j - 1], np.minimum(total[i - 1, j], total[i, j - 1]))
        total[i, j] = distance[i - 1, j - 1] + before
    steps = [(n, m)]
    while steps[-1] != (1, 1):
        i, j = steps[-1]
        steps.append(min((i - 1, j - 1), (i - 1, j), (i, j - 1), key=lambda s: total[s]))
    return np.array(steps[::-1]) - 1


def _spectra(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Log mel spectra (frames, bands), a frame each 20 ms, without the voice's own balance."""
    filters, width = _filters(rate)
    hop = round(_HOP_S * rate)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, width // 2), width)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(width), 2 * (len(filters) - 1))) ** 2
    levels = np.log10(power @ filters + 1e-4 * power.mean() + 1e-12)
    return np.asarray(levels - levels.mean(0), np.float64)


@lru_cache
def _filters(rate: int) -> tuple[NDArray[np.float32], int]:
    """A bank of mel filters (bins, bands) for ``rate``, and the samples of a frame of 25 ms."""
    config = FrontendConfig(
        sample_rate=rate, window_samples=round(0.025 * rate), f_max_hz=min(7600.0, 0.475 * rate)
    )
    return mel_filters(config), config.window_samples
