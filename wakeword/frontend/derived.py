"""Features of one front end, made of those of another that holds them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend.config import FrontendConfig
from wakeword.frontend.pcen import recompressed


def channels_of(other: FrontendConfig, own: FrontendConfig) -> tuple[int, int]:
    """Which channels [first, end) of ``own`` are those of ``other``, but for PCEN's compression."""
    if own.kind != "pcen+logmel" or other.kind == own.kind:
        return 0, own.channels
    return (0, own.n_mels) if other.kind == "pcen" else (own.n_mels, own.channels)


def features_of(
    other: FrontendConfig, features: NDArray[np.float32], own: FrontendConfig
) -> NDArray[np.float32]:
    """Features as ``other`` would have given them, from those (..., channels) of ``own``.

    Raises
    ------
    ValueError
        ``own`` does not give them: :meth:`FrontendConfig.gives_features_of`.
    """
    if not own.gives_features_of(other):
        raise ValueError(f"features of {own} hold none of {other}")
    first, end = channels_of(other, own)
    held = features[..., first:end]
    return recompressed(held, own.pcen, other.pcen) if other.kind == "pcen" else held
