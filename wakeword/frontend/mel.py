"""Mel filter bank and discrete cosine transform, as matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend.config import FrontendConfig


def hz_to_mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """O'Shaughnessy's mel scale, ``2595 log10(1 + f / 700)`` (the 'HTK' one)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, dtype=np.float64) / 700.0))


def mel_to_hz(mel: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Inverse of :func:`hz_to_mel`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mel, dtype=np.float64) / 2595.0) - 1.0))


def mel_filters(config: FrontendConfig, warp: float = 1.0) -> NDArray[np.float32]:
    """Triangular filters of peak 1, equally spaced on the mel scale.

    Parameters
    ----------
    warp
        Vocal tract length factor: filter edges are multiplied by it up to 85 % of the
        highest frequency and bent back to the band edge above (Jaitly and Hinton 2013).
        1 is no warping; training uses 0.85 to 1.15.

    Returns
    -------
    filters (fft_size // 2 + 1, n_mels) float32
    """
    bins_hz = np.linspace(0.0, config.sample_rate / 2, config.fft_size // 2 + 1)
    mel_edges = np.linspace(
        float(hz_to_mel(config.f_min_hz)), float(hz_to_mel(config.f_max_hz)), config.n_mels + 2
    )
    edges_hz = _warp(mel_to_hz(mel_edges), warp, config.f_max_hz)
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - low) / (centre - low)
    falling = (high - bins_hz[:, None]) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def dct_matrix(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Orthonormal DCT-II as a matrix (n_in, n_out): ``mfcc = log_mel @ dct``."""
    k = np.arange(n_out)
    n = np.arange(n_in)[:, None]
    basis = np.cos(np.pi / n_in * (n + 0.5) * k) * np.sqrt(2.0 / n_in)
    basis[:, 0] /= np.sqrt(2.0)
    return np.asarray(basis, np.float32)


def _warp(hz: NDArray[np.float64], factor: float, top_hz: float) -> NDArray[np.float64]:
    """Piecewise linear warping that keeps 0 and ``top_hz`` in place."""
    knee = 0.85 * top_hz * min(1.0, 1.0 / factor)
    above = factor * knee + (top_hz - factor * knee) * (hz - knee) / (top_hz - knee)
    return np.where(hz <= knee, hz * factor, above)
