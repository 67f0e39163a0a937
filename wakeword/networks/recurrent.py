"""Recurrent networks of Zhang et al. 2017: what is left after the last frame decides.

Basic LSTM, LSTM with peepholes and a projected output (Sak et al. 2014), and GRU. The gates of
TensorFlow's GRU act before the recurrent product and torch's after it; sizes are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, check_share, check_sizes

FORGET_BIAS = 1.0
"""What LSTM cells begin with, so that they remember before they have learnt what (TensorFlow)."""


@dataclass(frozen=True)
class RecurrentConfig:
    """Sizes; the defaults are the small basic LSTM.

    projection: outputs of an LSTM that has peepholes and feeds these back; 0: a basic one.
    """

    unit: Literal["LSTM", "GRU"] = "LSTM"
    units: int = 118
    layers: int = 1
    projection: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_sizes("recurrent", units=self.units)
        check_sizes("recurrent", 16, layers=self.layers)
        check_share("dropout", self.dropout)
        if not 0 <= self.projection <= self.units:
            raise ConfigError(
                f"recurrent: projection = {self.projection} must be between 0 and units = "
                f"{self.units}"
            )
        if self.projection and (self.unit != "LSTM" or self.layers != 1):
            raise ConfigError("recurrent: projection is for one layer of LSTM only")


class Recurrent(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: RecurrentConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        c = config
        if c.projection:
            self.recurrent: nn.Module = ProjectedLstm(channels, c.units, c.projection)
        elif c.unit == "LSTM":
            self.recurrent = remembering(nn.LSTM(channels, c.units, c.layers, batch_first=True))
        else:
            self.recurrent = nn.GRU(channels, c.units, c.layers, batch_first=True)
        self.dropout = nn.Dropout(c.dropout)
        self.output = nn.Linear(c.projection or c.units, labels)

    def forward(self, features: Tensor) -> Tensor:
        states, _ = self.recurrent(features)
        logits: Tensor = self.output(self.dropout(states[:, -1]))
        return logits


class ProjectedLstm(nn.Module):
    """x (batch, frames, channels) -> states (batch, 1, projection), the last one only.

    Gates see the cells through peepholes; what leaves, and is fed back, is a projection of
    ``units`` cells. Written out step by step: ONNX has no LSTM with a projection.
    """

    def __init__(self, channels: int, units: int, projection: int) -> None:
        super().__init__()
        self.units, self.projection = units, projection
        self.own = nn.Linear(channels, 4 * units)
        self.fed_back = nn.Linear(projection, 4 * units, bias=False)
        self.peepholes = nn.Parameter(torch.empty(3, units).uniform_(-(units**-0.5), units**-0.5))
        self.project = nn.Linear(units, projection, bias=False)
        with torch.no_grad():
            self.own.bias[units : 2 * units] = FORGET_BIAS

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        own = self.own(x)  # (batch, frames, 4 units): input, forget, cell, output
        state = x.new_zeros((x.shape[0], self.projection))
        cell = x.new_zeros((x.shape[0], self.units))
        for frame in range(x.shape[1]):
            take, forget, new, out = (own[:, frame] + self.fed_back(state)).chunk(4, 1)
            kept = torch.sigmoid(forget + self.peepholes[1] * cell) * cell
            cell = kept + torch.sigmoid(take + self.peepholes[0] * cell) * torch.tanh(new)
            state = self.project(torch.sigmoid(out + self.peepholes[2] * cell) * torch.tanh(cell))
        return state.unsqueeze(1), None


def remembering(lstm: nn.LSTM) -> nn.LSTM:
    """The same with ``FORGET_BIAS``: torch orders gates input, forget, cell, output."""
    units = lstm.hidden_size
    with torch.no_grad():
        for name, bias in lstm.named_parameters():
            if name.startswith("bias"):
                value = FORGET_BIAS if name.startswith("bias_ih") else 0.0
                bias[units : 2 * units] = value
    return lstm
