"""Temporal convolutions of Choi et al. 2019: TC-ResNet8 and 14, 2D-ResNet8 and 2D-ResNet8-Pool.

The MFCC of a frame are channels, and convolutions go over time only (Section 2.1). With
``dimensions = 2`` they go over frames and coefficients instead: the variants of Table 2. Neither
convolutions nor the last layer have biases (Section 2.2); a block that changes the number of
channels halves the resolution, and matches its shortcut by convolution, batch norm and ReLU
(Figure 2b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import (
    Network,
    Pair,
    Residual,
    check_share,
    check_sizes,
    same_conv,
    strided,
)


@dataclass(frozen=True)
class TcResnetConfig:
    """Sizes; the defaults are TC-ResNet8.

    channels: of the first convolution, and of each block. width: the multiplier k of Figure 2.
    pool: average pooling of so many positions each way after the first convolution; 0 for none.
    """

    channels: tuple[int, ...] = (16, 24, 32, 48)
    width: float = 1.0
    first_kernel: int = 3
    kernel: int = 9
    dimensions: Literal[1, 2] = 1
    pool: int = 0
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 < self.width <= 64.0:
            raise ConfigError(f"width = {self.width} must be above 0 and at most 64")
        if not 2 <= len(self.channels) <= 100:
            raise ConfigError(f"channels = {self.channels} must be 2 to 100 numbers")
        check_sizes("tc-resnet", channels=self.widths)
        check_sizes("tc-resnet", 101, first_kernel=self.first_kernel, kernel=self.kernel)
        if not 0 <= self.pool <= 64:
            raise ConfigError(f"pool = {self.pool} must be between 0 and 64")
        if self.pool and self.dimensions == 1:
            raise ConfigError("pool is for dimensions = 2 only")
        check_share("dropout", self.dropout)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels times width, as whole numbers."""
        return tuple(int(c * self.width) for c in self.channels)


class TcResnet(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: TcResnetConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        flat = config.dimensions == 1
        size = (frames, 1 if flat else channels)
        first, *blocks = config.widths
        layers: list[nn.Module] = [
            same_conv(channels if flat else 1, first, _kernel(config.first_kernel, flat), size),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        ]
        if config.pool:
            layers.append(nn.AvgPool2d(config.pool))
            size = _pooled(size, config.pool)
        for width in blocks:
            block = Block(first, width, _kernel(config.kernel, flat), size)
            layers.append(block)
            first, size = width, block.size
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(first, labels, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        flat = self.config.dimensions == 1
        x = features.transpose(1, 2).unsqueeze(3) if flat else features.unsqueeze(1)
        x = self.pool(self.layers(x)).flatten(1)
        logits: Tensor = self.output(self.dropout(x))
        return logits


class Block(Residual):
    """Two convolutions beside a shortcut (Figure 2a and 2b); ``size`` is that of its output."""

    def __init__(self, inputs: int, outputs: int, kernel: Pair, size: Pair) -> None:
        super().__init__()
        stride = (1, 1) if inputs == outputs else (2, 2)
        self.size = strided(size, stride)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            matched = same_conv(inputs, outputs, (1, 1), size, stride)
            self.shortcut = nn.Sequential(matched, nn.BatchNorm2d(outputs), nn.ReLU())
        self.body = nn.Sequential(
            same_conv(inputs, outputs, kernel, size, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            same_conv(outputs, outputs, kernel, self.size),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


def _kernel(frames: int, flat: bool) -> Pair:
    return frames, 1 if flat else frames


def _pooled(size: Pair, pool: int) -> Pair:
    if min(size) < pool:
        raise ConfigError(
            f"tc-resnet: pool = {pool} does not fit into {size[0]} frames by {size[1]} channels"
        )
    return size[0] // pool, size[1] // pool
