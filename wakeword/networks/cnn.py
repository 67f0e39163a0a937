"""Convolutional networks of Sainath and Parada 2015, and those of Zhang et al. 2017 after them.

Convolutions over frames and channels without padding, a linear layer of low rank, fully connected
layers. ``cnn-trad-fpool3`` and ``cnn-one-fstride4`` have no biases, by which they have the number
of parameters that Choi et al. 2019 print; the networks for Cortex-M have batch norm (``norm``).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, Pair, check_share, check_sizes


@dataclass(frozen=True)
class CnnConfig:
    """Sizes; the defaults are cnn-trad-fpool3.

    kernels: frames and channels of each convolution; 0 frames are all that there are. strides and
    pools (maximum over frames and channels), one for each convolution. linear: units of the
    linear layer. hidden: units of each fully connected layer after it.
    """

    filters: tuple[int, ...] = (64, 64)
    kernels: tuple[Pair, ...] = ((20, 8), (10, 4))
    strides: tuple[Pair, ...] = ((1, 1), (1, 1))
    pools: tuple[Pair, ...] = ((1, 3), (1, 1))
    linear: int = 32
    hidden: tuple[int, ...] = (128,)
    norm: bool = False
    dropout: float = 0.5

    def __post_init__(self) -> None:
        layers = {len(self.filters), len(self.kernels), len(self.strides), len(self.pools)}
        if len(layers) != 1 or not 1 <= len(self.filters) <= 100:
            raise ConfigError(
                f"cnn: filters = {self.filters}, kernels = {self.kernels}, strides = "
                f"{self.strides} and pools = {self.pools} must be as many, 1 to 100"
            )
        check_sizes("cnn", filters=self.filters, linear=self.linear, hidden=self.hidden)
        for (frames, channels), stride, pool in zip(
            self.kernels, self.strides, self.pools, strict=True
        ):
            check_sizes("cnn", 1000, kernels=(frames or 1, channels), strides=stride, pools=pool)
        check_share("dropout", self.dropout)


class Cnn(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: CnnConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        inputs, size = 1, (frames, channels)
        layers: list[nn.Module] = []
        for filters, kernel, stride, pool in zip(
            config.filters, config.kernels, config.strides, config.pools, strict=True
        ):
            kernel = (kernel[0] or size[0], kernel[1])
            layers.append(nn.Conv2d(inputs, filters, kernel, stride, bias=False))
            layers += [nn.BatchNorm2d(filters)] if config.norm else []
            layers.append(nn.ReLU())
            layers += [nn.MaxPool2d(pool)] if pool != (1, 1) else []
            layers.append(nn.Dropout(config.dropout))
            inputs, size = filters, _after(size, kernel, stride, pool)
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(inputs * size[0] * size[1], config.linear, bias=config.norm)
        self.hidden = nn.ModuleList()
        self.norms = nn.ModuleList()
        width = config.linear
        for units in config.hidden:
            self.hidden.append(nn.Linear(width, units, bias=False))
            self.norms.append(nn.BatchNorm1d(units) if config.norm else nn.Identity())
            width = units
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(width, labels, bias=config.norm)

    def forward(self, features: Tensor) -> Tensor:
        x = self.linear(self.layers(features.unsqueeze(1)).flatten(1))
        for hidden, norm in zip(self.hidden, self.norms, strict=True):
            x = self.dropout(functional.relu(norm(hidden(x))))
        logits: Tensor = self.output(x)
        return logits


def _after(size: Pair, kernel: Pair, stride: Pair, pool: Pair) -> Pair:
    """Positions after a convolution and its pooling."""
    found = [
        ((n - k) // s + 1) // p for n, k, s, p in zip(size, kernel, stride, pool, strict=True)
    ]
    if kernel[0] > size[0] or kernel[1] > size[1] or min(found) < 1:
        raise ConfigError(
            f"cnn: a kernel of {kernel[0]} frames by {kernel[1]} channels with pooling of "
            f"{pool[0]} by {pool[1]} does not fit into {size[0]} by {size[1]}"
        )
    return found[0], found[1]
