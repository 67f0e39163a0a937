"""Fully connected networks (DNN) of Zhang et al. 2017: all frames at once, ReLU in between."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, check_share, check_sizes


@dataclass(frozen=True)
class DnnConfig:
    """Units of each hidden layer; the defaults are the small network."""

    hidden: tuple[int, ...] = (144, 144, 144)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= len(self.hidden) <= 100:
            raise ConfigError(f"dnn: hidden = {self.hidden} must be 1 to 100 layers")
        check_sizes("dnn", hidden=self.hidden)
        check_share("dropout", self.dropout)


class Dnn(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: DnnConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        layers: list[nn.Module] = []
        width = frames * channels
        for units in config.hidden:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(config.dropout)]
            width = units
        self.layers = nn.Sequential(*layers)
        self.output = nn.Linear(width, labels)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.output(self.layers(features.flatten(1)))
        return logits
