"""Changes to one utterance: speed, tempo, room, microphone, place in a longer stretch."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft

Samples = NDArray[np.float32]

_TEMPO_HOP_S = 0.015
_TEMPO_SEARCH_S = 0.006
OCTAVES_HZ = np.array([62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])


def change_voice(samples: Samples, speed: float) -> Samples:
    """Play (n,) samples ``speed`` times as fast: shorter, pitch and formants higher."""
    if abs(speed - 1.0) < 1e-3 or len(samples) < 2:
        return samples
    out: Samples = soxr.resample(samples, speed, 1.0, quality="MQ").astype(np.float32)
    return out


def change_tempo(samples: Samples, tempo: float, rate: int) -> Samples:
    """Say (n,) samples of ``rate`` Hz ``tempo`` times as fast at the same pitch and formants."""
    hop = round(_TEMPO_HOP_S * rate)
    count = int(len(samples) / tempo / hop)
    if abs(tempo - 1.0) < 1e-3 or count < 2:
        return samples
    return _overlap_add(samples, hop * tempo * np.arange(count, dtype=np.float64), rate)


def vary_tempo(
    samples: Samples, tempos: NDArray[np.float64], rate: int
) -> tuple[Samples, NDArray[np.float64]]:
    """Say (n,) samples at a tempo that goes evenly from one of ``tempos`` to the next.

    Returns
    -------
    samples, times
        The new samples, and where each of the old ones (n + 1,) is in them, in samples.
    """
    tempo = np.interp(
        np.linspace(0.0, 1.0, len(samples)), np.linspace(0.0, 1.0, len(tempos)), tempos
    )
    times = np.concatenate([[0.0], np.cumsum(1.0 / tempo)])
    hop = round(_TEMPO_HOP_S * rate)
    count = int(times[-1] / hop)
    if count < 2:
        return samples, np.arange(len(samples) + 1.0)
    firsts = np.interp(np.arange(count) * hop, times, np.arange(len(times)))
    return _overlap_add(samples, firsts, rate), times


def _overlap_add(samples: Samples, firsts: NDArray[np.float64], rate: int) -> Samples:
    """Windows of ``samples`` that begin near ``firsts`` (count,), a hop apart.

    Waveform similarity overlap-add (Verhelst and Roelands 1993): windows of 30 ms, each taken
    where it continues the one before best, within 6 ms of where it should be.
    """
    hop, search = round(_TEMPO_HOP_S * rate), round(_TEMPO_SEARCH_S * rate)
    count = len(firsts)
    width = 2 * hop
    padded = np.pad(samples, (search, 2 * width + search))
    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(width) / width)).astype(np.float32)
    out = np.zeros((count + 1) * hop, np.float32)
    out[:hop] = samples[:hop] * (1.0 - window[:hop])
    at = search
    for k in range(count):
        if k:
            expected = padded[at + hop : at + hop + width]
            first = round(float(firsts[k]))
            region = padded[first : first + 2 * search + width]
            at = first + int(np.argmax(np.correlate(region, expected, "valid")))
        out[k * hop : k * hop + width] += padded[at : at + width] * window
    return out


def response_of_a_microphone(rng: np.random.Generator) -> NDArray[np.float32]:
    """A random frequency response: gain in dB at ``OCTAVES_HZ``, tilted and uneven.

    From a muffled phone in a pocket to a thin headset: -6 to +3 dB an octave, +-3 dB ripple.
    """
    tilt = rng.uniform(-6.0, 3.0)
    return (tilt * np.log2(OCTAVES_HZ / 1000.0) + rng.normal(0.0, 3.0, len(OCTAVES_HZ))).astype(
        np.float32
    )


def colour(
    samples: Samples,
    rate: int,
    room: Samples | None = None,
    microphone: NDArray[np.float32] | None = None,
) -> Samples:
    """Pass (n,) samples of ``rate`` Hz through a room and a microphone.

    Parameters
    ----------
    room (m,)
        Impulse response beginning with the direct sound: word times stay where they are.
    microphone
        Gain in dB at ``OCTAVES_HZ``, without delay.
    """
    tail = len(room) if room is not None else rate // 50
    n = fft.next_fast_len(len(samples) + tail, real=True)
    spectrum = fft.rfft(samples, n)
    if room is not None:
        spectrum *= fft.rfft(room, n)
    if microphone is not None:
        spectrum *= _gain(microphone, n, rate)
    out: Samples = fft.irfft(spectrum, n)[: len(samples)].astype(np.float32)
    return out


def place(samples: Samples, at: int, length: int) -> Samples:
    """Put samples at position ``at`` (may be negative) of ``length`` zeros; the rest is cut."""
    out = np.zeros(length, np.float32)
    low, high = max(0, at), min(length, at + len(samples))
    if high > low:
        out[low:high] = samples[low - at : high - at]
    return out


def _gain(microphone: NDArray[np.float32], n: int, rate: int) -> NDArray[np.float32]:
    """Factor of each of the ``n // 2 + 1`` bins; linear in dB over a grid of 15 Hz."""
    grid_hz = np.linspace(0.0, rate / 2, 512)
    octaves = np.log2(np.maximum(grid_hz, OCTAVES_HZ[0]))
    gain = 10.0 ** (np.interp(octaves, np.log2(OCTAVES_HZ), microphone) / 20.0)
    bins_hz = np.linspace(0.0, rate / 2, n // 2 + 1)
    return np.asarray(np.interp(bins_hz, grid_hz, gain), np.float32)
