"""Levels, and sounds mixed at a stated signal-to-noise ratio.

SNR here is the level of the word's loudest 0.3 s against the level of the noise over the
whole stretch it covers: pauses around the word do not change it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wakeword.errors import ConfigError

Samples = NDArray[np.float32]

LOUDEST_S = 0.3


def rms(samples: Samples) -> float:
    """Root mean square of (n,) samples; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def loudest_rms(samples: Samples, sample_rate: int, seconds: float = LOUDEST_S) -> float:
    """RMS of the loudest stretch of ``seconds``, found to 10 ms; of everything if shorter."""
    block = sample_rate // 100
    n = round(seconds * sample_rate / block)
    whole = len(samples) // block
    if whole <= n:
        return rms(samples)
    blocks = np.square(samples[: whole * block].reshape(whole, block)).sum(1, dtype=np.float64)
    sums = np.cumsum(np.concatenate([[0.0], blocks]))
    return float(np.sqrt(max(0.0, float((sums[n:] - sums[:-n]).max())) / (n * block)))


def mix_at_snr(speech: Samples, noise: Samples, snr_db: float, sample_rate: int) -> Samples:
    """Add ``noise`` to ``speech`` (both (n,)), scaled so that the ratio is ``snr_db``.

    Silent noise or silent speech leaves the speech as it is: no ratio exists.

    Raises
    ------
    ConfigError
        The two lengths differ.
    """
    if len(speech) != len(noise):
        raise ConfigError(f"speech has {len(speech)} samples, noise {len(noise)}; must be equal")
    signal, level = loudest_rms(speech, sample_rate), rms(noise)
    if signal == 0.0 or level == 0.0:
        return speech
    return speech + noise * np.float32(signal / level * 10.0 ** (-snr_db / 20.0))


def fit(samples: Samples, length: int, rng: np.random.Generator) -> Samples:
    """A random stretch of ``length`` samples; shorter sounds are repeated with a random start."""
    if len(samples) == 0:
        return np.zeros(length, np.float32)
    if len(samples) < length:
        start = int(rng.integers(len(samples)))
        return np.resize(np.roll(samples, -start), length)
    start = int(rng.integers(len(samples) - length + 1))
    return samples[start : start + length]


def babble(
    talkers: Sequence[Samples], length: int, sample_rate: int, rng: np.random.Generator
) -> Samples:
    """Sum of talkers at equal level (+-3 dB), each from a random place; (length,) float32."""
    total = np.zeros(length, np.float32)
    for talker in talkers:
        piece = fit(talker, length, rng)
        level = loudest_rms(piece, sample_rate, 1.0)
        if level > 0.0:
            total += piece * np.float32(10.0 ** (rng.uniform(-3.0, 3.0) / 20.0) / level)
    return total


def coloured_noise(length: int, slope: float, rng: np.random.Generator) -> Samples:
    """Noise (length,) of RMS 1 whose power falls as ``1 / f**slope``: 0 white, 1 pink, 2 brown."""
    if slope == 0.0:
        return rng.standard_normal(length, np.float32)
    spectrum = rng.standard_normal((2, length // 2 + 1), np.float32)
    shape = np.maximum(np.arange(length // 2 + 1, dtype=np.float32), 1.0) ** np.float32(-slope / 2)
    shaped = (spectrum[0] + np.complex64(1j) * spectrum[1]) * shape
    noise = np.asarray(np.fft.irfft(shaped, length), np.float32)
    return np.asarray(noise / max(rms(noise), 1e-9), np.float32)


def add_knocks(samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Add one to six knocks to (n,) samples: 15 dB below to 10 dB above their loudest 0.3 s.

    A knock is coloured noise that decays by 60 dB within 0.03 to 0.4 s, as of dishes, doors and
    keys: gone before a recording's average level shows it, and louder than speech meanwhile.
    """
    level = loudest_rms(samples, sample_rate)
    if level == 0.0:
        return samples
    out = samples.copy()
    for _ in range(int(rng.integers(1, 7))):
        decay_s = float(np.exp(rng.uniform(*np.log([0.03, 0.4]))))
        length = round(decay_s * sample_rate)
        fall = 10.0 ** (-3.0 * np.arange(length) / length)
        knock = coloured_noise(length, rng.uniform(-1.0, 1.5), rng) * fall.astype(np.float32)
        at = int(rng.integers(0, max(1, len(out) - length)))
        gain = level * 10.0 ** (rng.uniform(-15.0, 10.0) / 20.0)
        piece = out[at : at + length]
        piece += knock[: len(piece)] * np.float32(gain)
    return out
