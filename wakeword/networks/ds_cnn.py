"""Depthwise separable convolutions of Zhang et al. 2017: DS-CNN-S, M and L.

One convolution over frames and coefficients, then blocks of a depthwise 3 by 3 convolution and a
pointwise one, each with batch norm and ReLU, average over all positions, one layer to the labels.
The source has biases in the convolutions and no scale in batch norm; here it is the scale and no
biases, which is as many numbers and what batch norm leaves of a bias anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from wakeword.networks.base import Network, Pair, check_share, check_sizes, same_conv, strided


@dataclass(frozen=True)
class DsCnnConfig:
    """Sizes; the defaults are DS-CNN-S. ``block_stride`` is that of the first block."""

    filters: int = 64
    blocks: int = 4
    kernel: Pair = (10, 4)
    stride: Pair = (2, 2)
    block_kernel: Pair = (3, 3)
    block_stride: Pair = (1, 1)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes("ds-cnn", filters=self.filters)
        check_sizes("ds-cnn", 100, blocks=self.blocks, kernel=self.kernel, stride=self.stride)
        check_sizes("ds-cnn", 100, block_kernel=self.block_kernel, block_stride=self.block_stride)
        check_share("dropout", self.dropout)


class DsCnn(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: DsCnnConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        wide, size = config.filters, (frames, channels)
        layers = _layer(same_conv(1, wide, config.kernel, size, config.stride), wide)
        at = strided(size, config.stride)
        for k in range(config.blocks):
            step = config.block_stride if k == 0 else (1, 1)
            layers += _layer(
                same_conv(wide, wide, config.block_kernel, at, step, groups=wide), wide
            )
            layers += _layer(same_conv(wide, wide, (1, 1), at), wide)
            at = strided(at, step)
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(wide, labels)

    def forward(self, features: Tensor) -> Tensor:
        x = self.pool(self.layers(features.unsqueeze(1))).flatten(1)
        logits: Tensor = self.output(self.dropout(x))
        return logits


def _layer(conv: nn.Module, channels: int) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(channels), nn.ReLU()]
