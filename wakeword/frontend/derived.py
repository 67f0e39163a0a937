"""Features of one front end, made of those of another that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wakeword.frontend.config import FrontendConfig
from wakeword.frontend.pcen import recompressed


def common_frontend(fronts: Sequence[FrontendConfig]) -> FrontendConfig:
    """The first; where one hears PCEN and another log-mel, both as the first with PCEN.

    Whether it gives the features of each is another question: they may differ in other things.
    """
    by_kind = {front.kind: front for front in reversed(fronts)}
    if "pcen+logmel" in by_kind:
        return by_kind["pcen+logmel"]
    if by_kind.keys() == {"pcen", "logmel"}:
        return replace(by_kind["pcen"], kind="pcen+logmel")
    return fronts[0]


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
