"""Convolutional recurrent networks (CRNN) of Zhang et al. 2017, after those of Arik et al. 2017.

One convolution without padding, GRU forward only, and of them the last state; one fully connected
layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, Pair, check_share, check_sizes


@dataclass(frozen=True)
class ConvGruConfig:
    """Sizes; the defaults are the small network."""

    filters: int = 48
    kernel: Pair = (10, 4)
    stride: Pair = (2, 2)
    layers: int = 2
    units: int = 60
    hidden: int = 84
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes("conv-gru", filters=self.filters, units=self.units, hidden=self.hidden)
        check_sizes("conv-gru", 1000, kernel=self.kernel, stride=self.stride)
        check_sizes("conv-gru", 16, layers=self.layers)
        check_share("dropout", self.dropout)


class ConvGru(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: ConvGruConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        c = config
        if frames < c.kernel[0] or channels < c.kernel[1]:
            raise ConfigError(
                f"conv-gru: a kernel of {c.kernel[0]} frames by {c.kernel[1]} channels does not "
                f"fit into {frames} by {channels}"
            )
        bands = (channels - c.kernel[1]) // c.stride[1] + 1
        self.conv = nn.Conv2d(1, c.filters, c.kernel, c.stride)
        self.recurrent = nn.GRU(c.filters * bands, c.units, c.layers, batch_first=True)
        self.hidden = nn.Linear(c.units, c.hidden)
        self.dropout = nn.Dropout(c.dropout)
        self.output = nn.Linear(c.hidden, labels)

    def forward(self, features: Tensor) -> Tensor:
        x = functional.relu(self.conv(features.unsqueeze(1)))
        x = x.permute(0, 2, 1, 3).flatten(2)  # (batch, steps, filters * bands)
        states, _ = self.recurrent(x)
        x = functional.relu(self.hidden(states[:, -1]))
        logits: Tensor = self.output(self.dropout(x))
        return logits
