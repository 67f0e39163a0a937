"""How weights lie in memory while they are learnt."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


def channels_last(weights: Iterable[nn.Parameter]) -> None:
    """Lay the weights of convolutions so that what they make has a position's channels together.

    Most step up to two fifths faster so, the CRNN as before; the values stay what they are.
    """
    for weight in weights:
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
