"""Deep residual networks of Tang and Lin 2018: Res8, Res15 and their narrow variants.

All convolutions are 3 by 3 over frames and coefficients, without bias; batch norm comes after the
ReLU, without scale and shift. Res15 dilates by 2^(i // 3); Res8 averages 4 by 3 positions after
its first convolution.

Choi et al. 2019 count, and timed, a Res8 whose pooling has a stride of one: it leaves 95 by 38
positions of 98 by 40, and their 795.3 and 143.2 MFLOPs. ``pool_stride = [1, 1]`` is that network;
the default is that of its authors, whose pooling divides the resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, Pair, Residual, check_share, check_sizes, same_conv


@dataclass(frozen=True)
class ResConfig:
    """Sizes; the defaults are Res8.

    layers: convolutions after the first, by twos in residual blocks, one more where they are odd.
    pool: frames and channels that are averaged, (1, 1) for none; pool_stride (0, 0): the same.
    """

    layers: int = 6
    channels: int = 45
    pool: Pair = (4, 3)
    pool_stride: Pair = (0, 0)
    dilated: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes("res", 100, layers=self.layers, pool=self.pool)
        check_sizes("res", channels=self.channels)
        if not all(0 <= n <= 100 for n in self.pool_stride):
            raise ConfigError(f"res: pool_stride = {self.pool_stride} must be between 0 and 100")
        if self.dilated and self.layers > 30:
            raise ConfigError(f"res: layers = {self.layers}, but dilated ones are 30 at most")
        check_share("dropout", self.dropout)

    @property
    def pool_step(self) -> Pair:
        """Frames and channels from one average to the next."""
        return self.pool_stride[0] or self.pool[0], self.pool_stride[1] or self.pool[1]


class Res(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: ResConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        if frames < config.pool[0] or channels < config.pool[1]:
            raise ConfigError(
                f"res: pooling of {config.pool[0]} frames by {config.pool[1]} channels does not "
                f"fit into {frames} by {channels}"
            )
        wide = config.channels
        self.first = same_conv(1, wide, (3, 3), (frames, channels))
        step = config.pool_step
        self.pool: nn.Module = nn.Identity()
        if config.pool != (1, 1):
            self.pool = nn.AvgPool2d(config.pool, step)
        size = (
            (frames - config.pool[0]) // step[0] + 1,
            (channels - config.pool[1]) // step[1] + 1,
        )
        dilations = [2 ** (i // 3) if config.dilated else 1 for i in range(config.layers)]
        pairs = zip(dilations[::2], dilations[1::2], strict=False)
        blocks: list[nn.Module] = [ResBlock(wide, size, pair) for pair in pairs]
        if config.layers % 2:
            blocks += [same_conv(wide, wide, (3, 3), size, dilation=dilations[-1]), nn.ReLU()]
            blocks += [nn.BatchNorm2d(wide, affine=False)]
        self.blocks = nn.Sequential(*blocks)
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(wide, labels, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        x = self.pool(functional.relu(self.first(features.unsqueeze(1))))
        x = self.mean(self.blocks(x)).flatten(1)
        logits: Tensor = self.output(self.dropout(x))
        return logits


class ResBlock(Residual):
    """Two convolutions, each with ReLU, the input added, batch norm."""

    def __init__(self, channels: int, size: Pair, dilations: Pair) -> None:
        super().__init__()
        one, two = dilations
        self.one = same_conv(channels, channels, (3, 3), size, dilation=one)
        self.norm_one = nn.BatchNorm2d(channels, affine=False)
        self.two = same_conv(channels, channels, (3, 3), size, dilation=two)
        self.norm_two = nn.BatchNorm2d(channels, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm_one(functional.relu(self.one(x)))
        out: Tensor = self.norm_two(functional.relu(self.two(y)) + x)
        return out
