"""Per-channel energy normalisation (Wang et al. 2017, equations 1 and 2)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend.config import PcenConfig

_BLOCK = 32


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
    frames = energies.shape[1]
    if frames == 0:
        return out
    response, decay = _block_response(s)
    state = np.where(np.isnan(last), energies[:, 0], last)
    for begin in range(0, frames, _BLOCK):
        count = min(_BLOCK, frames - begin)
        block = out[:, begin : begin + count]
        np.matmul(response[:count, :count], energies[:, begin : begin + count], out=block)
        block += decay[:count] * state[:, None]
        state = block[:, -1]
    return out


@lru_cache(maxsize=16)
def _block_response(s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The recursion over one block, written out: ``M = response @ E + decay * M[before]``.

    A matrix product takes one step of Python where the recursion takes one for each frame.
    All terms are positive, so nothing is lost by it. response (block, block), decay (block, 1).
    """
    lag = np.arange(_BLOCK)[:, None] - np.arange(_BLOCK)
    response = np.where(lag >= 0, s * (1.0 - s) ** np.maximum(lag, 0), 0.0)
    decay = (1.0 - s) ** np.arange(1, _BLOCK + 1)[:, None]
    return response.astype(np.float32), decay.astype(np.float32)


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


def recompressed(
    features: NDArray[np.float32], old: PcenConfig, new: PcenConfig
) -> NDArray[np.float32]:
    """Features of any shape as ``new`` would have given them, from those of ``old``.

    Nothing is lost but rounding where only ``delta`` and ``r`` differ: what the gain control gave
    is raised to a power after it, and comes back by the inverse one.

    Raises
    ------
    ValueError
        The gain control is another: ``s``, ``alpha`` or ``eps`` differ.
    """
    if old.compressed_as(new) != new:
        raise ValueError(f"{old} and {new} differ in more than delta and r")
    if old == new:
        return features
    offset = old.delta**old.r
    # What no energy gives, a mask or rounding, may lie a little under nought.
    gained = np.maximum(features + np.float32(offset), offset) ** np.float32(1.0 / old.r)
    gained += np.float32(new.delta - old.delta)
    out: NDArray[np.float32] = gained ** np.float32(new.r) - np.float32(new.delta**new.r)
    return out
