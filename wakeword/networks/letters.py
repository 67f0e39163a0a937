"""A small network that reads letters, trained with CTC: for alignment, not for wake words.

Convolutions over time only, the first with a stride, the others dilated and residual. What it sees
of a letter's surroundings is bounded (0.85 s with the defaults), and as much of it lies before as
after: CTC may put a letter's peak anywhere, and this keeps it near the letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import check_share


@dataclass(frozen=True)
class LettersConfig:
    """Sizes. A time step is ``stride`` frames; ``kernel`` is odd; one layer for each dilation."""

    filters: int = 88
    kernel: int = 5
    stride: int = 2
    dilations: tuple[int, ...] = (1, 1, 2, 2, 4)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= self.filters <= 4096:
            raise ConfigError(f"filters = {self.filters} must be between 1 and 4096")
        if not (self.kernel % 2 and 1 <= self.stride <= self.kernel <= 101):
            raise ConfigError(
                f"kernel = {self.kernel} must be odd, 101 at most, and stride = {self.stride} at "
                f"most the kernel"
            )
        if not all(1 <= d <= 1000 for d in self.dilations) or len(self.dilations) > 100:
            raise ConfigError(f"dilations = {self.dilations} must be 1 to 1000, 100 at most")
        check_share("dropout", self.dropout)


class Letters(nn.Module):
    """features (batch, frames, channels) -> logits (batch, ceil(frames / stride), labels).

    Step ``k`` is centred on frame ``k * stride``; label 0 is CTC's blank.
    """

    def __init__(self, config: LettersConfig, channels: int, labels: int) -> None:
        super().__init__()
        side, filters = config.kernel // 2, config.filters
        self.first = nn.Sequential(
            nn.BatchNorm1d(channels),
            nn.Conv1d(channels, filters, config.kernel, config.stride, side),
            nn.BatchNorm1d(filters),
            nn.ReLU(),
        )
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(filters, filters, config.kernel, 1, side * d, dilation=d),
                nn.BatchNorm1d(filters),
            )
            for d in config.dilations
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Conv1d(filters, labels, 1)

    def forward(self, features: Tensor) -> Tensor:
        x = self.first(features.transpose(1, 2))
        for layer in self.layers:
            x = x + functional.relu(layer(x))
        logits: Tensor = self.output(self.dropout(x)).transpose(1, 2)
        return logits
