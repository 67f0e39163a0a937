"""Per-channel energy normalisation (Wang et al. 2017, equations 1 and 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend.config import PcenConfig


def smooth(
    energies: NDArray[np.float32], s: float, last: NDArray[np.float32]
) -> NDArray[np.float32]:
    """First-order recursion ``M[t] = (1 - s) M[t-1] + s E[t]`` over axis 1.

    Parameters
    ----------
    energies (streams, frames, channels)
    last (streams, channels)
        ``M[t-1]`` before the first frame; rows of NaN (a new stream) take the energies of
        their own first frame, so that a stream which is loud from its first sample starts
        adapted instead of with a click.

    Returns
    -------
    M (streams, frames, channels); the state to carry on is its last frame.
    """
    out = np.empty_like(energies)
    if energies.shape[1] == 0:
        return out
    keep, take = np.float32(1.0 - s), np.float32(s)
    state = np.where(np.isnan(last), energies[:, 0], last)
    for t in range(energies.shape[1]):
        state = keep * state + take * energies[:, t]
        out[:, t] = state
    return out


def compress(
    energies: NDArray[np.float32], smoothed: NDArray[np.float32], config: PcenConfig
) -> NDArray[np.float32]:
    """Gain control by the smoothed energy, then root compression; shapes as given.

    The ratio cannot overflow: ``M >= s E``, hence ``E / (eps + M)**alpha`` is at most
    ``E**(1 - alpha) / s**alpha``, about 45 for full-scale clipping with the defaults.
    """
    eps, alpha = np.float32(config.eps), np.float32(-config.alpha)
    gain = np.exp(alpha * np.log(eps + smoothed))
    delta, r = np.float32(config.delta), np.float32(config.r)
    out: NDArray[np.float32] = (energies * gain + delta) ** r - delta**r
    return out
