"""Convolutional recurrent network of Arik et al. 2017 (Figure 1, Table 1).

One 2-D convolution over time and frequency, bidirectional recurrent layers over the strided
time steps, one fully connected layer over all of them, softmax over the words and background.
ReLU after the convolution and the fully connected layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError


@dataclass(frozen=True)
class CrnnConfig:
    """Parameters of the family, named after Table 1; the defaults are its bold row.

    filters N_C, kernel (L_T, L_F), stride (S_T, S_F), recurrent_layers R, recurrent_units N_R,
    hidden N_F. ``dropout`` is ours: it acts before the fully connected layers, in training only.
    """

    filters: int = 32
    kernel: tuple[int, int] = (20, 5)
    stride: tuple[int, int] = (8, 2)
    recurrent_layers: int = 2
    recurrent_units: int = 32
    recurrent_unit: Literal["GRU", "LSTM"] = "GRU"
    hidden: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.filters, self.recurrent_layers, self.recurrent_units, self.hidden)
        if min((*numbers, *self.kernel, *self.stride)) < 1 or max(numbers) > 4096:
            raise ConfigError(f"CRNN sizes must be between 1 and 4096: {self}")
        if self.recurrent_unit not in ("GRU", "LSTM"):
            raise ConfigError(f"recurrent_unit '{self.recurrent_unit}' is neither GRU nor LSTM")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"dropout = {self.dropout} must be in [0, 1)")


class Crnn(nn.Module):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: CrnnConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__()
        self.config = config
        self.padding = tuple(
            _same(size, kernel, stride)
            for size, kernel, stride in zip(
                (frames, channels), config.kernel, config.stride, strict=True
            )
        )
        steps, bands = (-(-frames // config.stride[0]), -(-channels // config.stride[1]))
        self.conv = nn.Conv2d(1, config.filters, config.kernel, config.stride)
        recurrent = nn.GRU if config.recurrent_unit == "GRU" else nn.LSTM
        self.recurrent = recurrent(
            config.filters * bands,
            config.recurrent_units,
            config.recurrent_layers,
            batch_first=True,
            bidirectional=True,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(steps * 2 * config.recurrent_units, config.hidden)
        self.output = nn.Linear(config.hidden, labels)

    def forward(self, features: Tensor) -> Tensor:
        (top, bottom), (left, right) = self.padding
        x = functional.pad(features.unsqueeze(1), (left, right, top, bottom))
        x = functional.relu(self.conv(x))  # (batch, filters, steps, bands)
        x = x.permute(0, 2, 1, 3).flatten(2)  # (batch, steps, filters * bands)
        x, _ = self.recurrent(x)
        x = functional.relu(self.hidden(self.dropout(x.flatten(1))))
        logits: Tensor = self.output(self.dropout(x))
        return logits

    def macs(self) -> int:
        """Multiply-accumulates of one window; two floating point operations each."""
        c = self.config
        gates = 3 if c.recurrent_unit == "GRU" else 4
        steps = self.hidden.in_features // (2 * c.recurrent_units)
        bands = self.recurrent.input_size // c.filters
        total = steps * bands * c.filters * c.kernel[0] * c.kernel[1]
        width = self.recurrent.input_size
        for _ in range(c.recurrent_layers):
            total += 2 * steps * gates * c.recurrent_units * (width + c.recurrent_units)
            width = 2 * c.recurrent_units
        return total + self.hidden.weight.numel() + self.output.weight.numel()


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after so that ``ceil(size / stride)`` positions fit ('same' padding)."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2
