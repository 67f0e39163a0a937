"""Words told apart by what Google's speech embedding makes of them (Lin et al. 2020).

The embedding is a convolutional network of 330 thousand weights, published under Apache-2.0: 96
numbers every 80 ms, each from 0.775 s of log-mel. It has heard far more speakers than the thirty
or so who say a wake word for its training. Here it, or as many of its lower blocks as are asked
for, stays as it was published, and the layers behind it learn, unless its upper blocks are to learn
with them. :mod:`wakeword.training.pretrained` reads its weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, check_share, check_sizes

BANDS = 32
"""Mel bands that the embedding hears, of 60 to 3800 Hz."""
WIDTH = 96
"""Numbers that it says."""
HEARD_FRAMES = 76
"""Frames of 10 ms that one embedding is made of."""

_BLOCKS = ((24, (2, 2)), (48, (1, 2)), (72, (2, 2)), (96, (1, 2)), (96, (2, 2)))
"""Filters of each block of convolutions, and frames and bands that are pooled after it."""
_SLOPE, _LEAST = 0.2, -0.4
"""Of the leaky ReLU, and what it gives at least."""
_QUIETEST = 1e-12
_AT_ONCE = 16
_DECADES_OF_16_BIT = 9.0309
"""It was taught with samples up to 32768, whose power is so many decades above that of ours."""
_OFFSET = 2.0


@dataclass(frozen=True)
class SpeechEmbeddingConfig:
    """Sizes of the layers behind the embedding; ``dropout`` acts before each of them.

    ``blocks`` of it are used, from the lowest: what the first three or four make of speech comes
    every 40 ms. The upper ``trained_blocks`` of these go on learning.
    """

    units: int = 128
    dropout: float = 0.3
    blocks: int = len(_BLOCKS)
    trained_blocks: int = 0

    def __post_init__(self) -> None:
        check_sizes("speech-embedding", units=self.units)
        check_sizes("speech-embedding", len(_BLOCKS), blocks=self.blocks)
        if not 0 <= self.trained_blocks <= self.blocks:
            raise ConfigError(
                f"speech-embedding: trained_blocks = {self.trained_blocks} must be between 0 and "
                f"blocks = {self.blocks}"
            )
        check_share("dropout", self.dropout)


class Embedding(nn.Module):
    """log-mel (batch, frames, channels) -> (batch, ``width``, n).

    Of all blocks that is WIDTH numbers every 8 frames.
    """

    def __init__(self, channels: int, blocks: int = len(_BLOCKS), trained: int = 0) -> None:
        super().__init__()
        # As much of each channel as is in each band. What replaces it has to be as positive.
        self.bands = nn.Parameter(torch.rand(channels, BANDS) / channels)
        self.convolutions = nn.ModuleList()
        self.pools: list[tuple[int, int] | None] = []
        inputs, bands = 1, BANDS
        for number, (filters, pool) in enumerate(_BLOCKS[:blocks]):
            kernels = ((3, 3), (1, 3), (3, 1)) if number == 0 else ((1, 3), (3, 1)) * 2
            for kernel in kernels:
                padding = (0, kernel[1] // 2)
                self.convolutions.append(nn.Conv2d(inputs, filters, kernel, padding=padding))
                self.pools.append(None)
                inputs = filters
            self.pools[-1] = pool
            bands //= pool[1]
            if number == blocks - trained - 1:  # what comes before stays as published
                self.requires_grad_(False)
        self.last = nn.Conv2d(inputs, WIDTH, (3, 1), bias=False) if bands == 1 else None
        self.bands.requires_grad_(False)
        if self.last is not None:
            self.last.requires_grad_(trained > 0)
        self.width = inputs * bands

    def forward(self, features: Tensor) -> Tensor:
        power = features.exp() @ self.bands.abs()
        x = power.clamp(min=_QUIETEST).log10() + (_DECADES_OF_16_BIT + _OFFSET)
        x = x.unsqueeze(1)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            x = functional.leaky_relu(convolution(x), _SLOPE).clamp(min=_LEAST)
            if pool is not None:
                x = functional.max_pool2d(x, pool)
        x = x if self.last is None else self.last(x)
        return torch.cat(x.unbind(3), dim=1)


class SpeechEmbedding(Network):
    """log-mel (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(
        self, config: SpeechEmbeddingConfig, frames: int, channels: int, labels: int
    ) -> None:
        super().__init__(frames, channels, labels)
        if frames < HEARD_FRAMES:
            raise ConfigError(
                f"speech-embedding: it hears {HEARD_FRAMES} frames at a time, but windows have "
                f"{frames}"
            )
        self.config = config
        units = config.units
        self.embedding = Embedding(channels, config.blocks, config.trained_blocks)
        self.norm = nn.BatchNorm1d(self.embedding.width, affine=False)
        self.dropout = nn.Dropout(config.dropout)
        self.within = nn.Conv1d(self.embedding.width, units, 1)
        self.across = nn.Conv1d(units, units, 3, padding=1)
        self.recurrent = nn.GRU(units, units, batch_first=True, bidirectional=True)
        self.hidden = nn.Linear(4 * units, units)
        self.output = nn.Linear(units, labels)

    def forward(self, features: Tensor) -> Tensor:
        embeddings = self._embeddings(features.float())
        x = functional.relu(self.within(self.dropout(self.norm(embeddings))))
        x = x + functional.relu(self.across(x))
        x, _ = self.recurrent(self.dropout(x.transpose(1, 2)))
        x = torch.cat([x.mean(dim=1), x.amax(dim=1)], dim=1)
        x = functional.relu(self.hidden(self.dropout(x)))
        logits: Tensor = self.output(self.dropout(x))
        return logits

    def _embeddings(self, features: Tensor) -> Tensor:
        if not self.training:
            found: Tensor = self.embedding(features)
            return found
        # A large batch leaves the cache between any two layers: that takes twice as long.
        starts = range(0, len(features), _AT_ONCE)
        return torch.cat([self.embedding(features[at : at + _AT_ONCE]) for at in starts])
