"""The channel of a telephone: a narrow band, line noise, 8 bit companding (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft

from wakeword.data.mixing import loudest_rms

Samples = NDArray[np.float32]

LINE_HZ = 8_000
_MU = 255.0


def through_a_telephone(samples: Samples, rate: int, rng: np.random.Generator) -> Samples:
    """Samples (n,) of ``rate`` Hz as they come out of a telephone line, at any level.

    From 150 to 350 Hz, up to 3 to 3.8 kHz; nothing above 4 kHz, as in the recordings of a
    telephone that a 16 kHz front end may be given, but for the faint images that a plain
    resampler leaves there in half of them. Silence comes out as line noise.
    """
    line = soxr.resample(samples, rate, LINE_HZ) if rate != LINE_HZ else samples
    line = _band(line, rng.uniform(150.0, 350.0), rng.uniform(3000.0, 3800.0))
    level = loudest_rms(line, LINE_HZ)
    if level > 0.0:
        line = line * np.float32(10.0 ** (rng.uniform(-40.0, -14.0) / 20.0) / level)
    noise = rng.standard_normal(len(line), np.float32)
    line = companded(line + noise * np.float32(10.0 ** (rng.uniform(-80.0, -55.0) / 20.0)))
    quality = ("HQ", "QQ")[int(rng.integers(2))]
    out = soxr.resample(line, LINE_HZ, rate, quality) if rate != LINE_HZ else line
    fitted: Samples = np.resize(np.pad(out, (0, max(0, len(samples) - len(out)))), len(samples))
    return fitted.astype(np.float32)


def companded(samples: Samples) -> Samples:
    """Samples (n,) after 8 bits of the continuous mu-law curve; beyond full scale is clipped."""
    small = np.clip(samples, -1.0, 1.0)
    code = np.rint(np.sign(small) * np.log1p(_MU * np.abs(small)) / np.log1p(_MU) * 127.0)
    out = np.sign(code) * np.expm1(np.abs(code) / 127.0 * np.log1p(_MU)) / _MU
    return np.asarray(out, np.float32)


def _band(line: Samples, low_hz: float, high_hz: float) -> Samples:
    """24 dB an octave below ``low_hz``, 96 dB an octave above ``high_hz``, without delay."""
    n = fft.next_fast_len(len(line) + LINE_HZ // 20, real=True)
    hz = np.maximum(np.linspace(0.0, LINE_HZ / 2, n // 2 + 1), 1.0)
    below, above = np.maximum(0.0, np.log2(low_hz / hz)), np.maximum(0.0, np.log2(hz / high_hz))
    gain = 10.0 ** (-(24.0 * below + 96.0 * above) / 20.0)
    return np.asarray(fft.irfft(fft.rfft(line, n) * gain, n)[: len(line)], np.float32)
