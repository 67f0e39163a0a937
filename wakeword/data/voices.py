"""Changes to one utterance: speed, room, place in a longer stretch."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft

Samples = NDArray[np.float32]


def change_voice(samples: Samples, speed: float) -> Samples:
    """Play (n,) samples ``speed`` times as fast: shorter, pitch and formants higher."""
    if abs(speed - 1.0) < 1e-3 or len(samples) < 2:
        return samples
    rate = 16_000
    out: Samples = soxr.resample(samples, rate * speed, rate, quality="MQ").astype(np.float32)
    return out


def reverberate(samples: Samples, response: Samples) -> Samples:
    """Convolve (n,) with an impulse response; length and the place of the direct sound stay."""
    n = fft.next_fast_len(len(samples) + len(response) - 1, real=True)
    spectrum = fft.rfft(samples, n) * fft.rfft(response, n)
    out: Samples = fft.irfft(spectrum, n)[: len(samples)].astype(np.float32)
    return out


def place(samples: Samples, at: int, length: int) -> Samples:
    """Put samples at position ``at`` (may be negative) of ``length`` zeros; the rest is cut."""
    out = np.zeros(length, np.float32)
    low, high = max(0, at), min(length, at + len(samples))
    if high > low:
        out[low:high] = samples[low - at : high - at]
    return out
