"""Convolutional recurrent network of Arik et al. 2017 (Figure 1, Table 1).

One 2-D convolution over time and frequency, bidirectional recurrent layers over the strided
time steps, one fully connected layer over all of them, softmax over the words and background.
ReLU after the convolution and the fully connected layer.

The two large matrices, of what goes into the first recurrent layer and into the fully connected
one, may be products of two narrow ones (Prabhavalkar et al. 2016): a network that begins with one
of full matrices begins with the nearest of their rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, check_share, same_padding


@dataclass(frozen=True)
class CrnnConfig:
    """Parameters of the family, named after Table 1; the defaults are its bold row.

    filters N_C, kernel (L_T, L_F), stride (S_T, S_F), recurrent_layers R, recurrent_units N_R,
    hidden N_F. ``dropout`` is ours: it acts before the fully connected layers, in training only.
    ``recurrent_rank`` and ``hidden_rank`` are those of the two large matrices; 0 is full, as there.
    """

    filters: int = 32
    kernel: tuple[int, int] = (20, 5)
    stride: tuple[int, int] = (8, 2)
    recurrent_layers: int = 2
    recurrent_units: int = 32
    recurrent_unit: Literal["GRU", "LSTM"] = "GRU"
    hidden: int = 64
    dropout: float = 0.0
    recurrent_rank: int = 0
    hidden_rank: int = 0

    def __post_init__(self) -> None:
        numbers = (self.filters, self.recurrent_layers, self.recurrent_units, self.hidden)
        if min((*numbers, *self.kernel, *self.stride)) < 1 or max(numbers) > 4096:
            raise ConfigError(f"CRNN sizes must be between 1 and 4096: {self}")
        ranks = (self.recurrent_rank, self.hidden_rank)
        if min(ranks) < 0 or max(ranks) > 4096:
            raise ConfigError(f"CRNN ranks must be between 0 (full) and 4096: {self}")
        if self.recurrent_unit not in ("GRU", "LSTM"):
            raise ConfigError(f"recurrent_unit '{self.recurrent_unit}' is neither GRU nor LSTM")
        check_share("dropout", self.dropout)


class Crnn(Network):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: CrnnConfig, frames: int, channels: int, labels: int) -> None:
        super().__init__(frames, channels, labels)
        self.config = config
        self.padding = tuple(
            same_padding(size, kernel, stride)
            for size, kernel, stride in zip(
                (frames, channels), config.kernel, config.stride, strict=True
            )
        )
        steps, bands = (-(-frames // config.stride[0]), -(-channels // config.stride[1]))
        self.conv = nn.Conv2d(1, config.filters, config.kernel, config.stride)
        recurrent = nn.GRU if config.recurrent_unit == "GRU" else nn.LSTM
        found, said = config.filters * bands, steps * 2 * config.recurrent_units
        self.narrow_found = _narrow(found, config.recurrent_rank)
        self.narrow_said = _narrow(said, config.hidden_rank)
        self.recurrent = recurrent(
            config.recurrent_rank or found,
            config.recurrent_units,
            config.recurrent_layers,
            batch_first=True,
            bidirectional=True,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(config.hidden_rank or said, config.hidden)
        self.output = nn.Linear(config.hidden, labels)

    def fitted(self, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``stored``, where its stride over time may be another, and its large matrices full."""
        fitted = self._with_positions(stored)
        first = "recurrent.weight_ih_l0"
        for rank, narrow, wide in (
            (self.config.recurrent_rank, "narrow_found.weight", (first, f"{first}_reverse")),
            (self.config.hidden_rank, "narrow_said.weight", ("hidden.weight",)),
        ):
            if rank and narrow not in fitted and fitted.keys() >= set(wide):
                weights = [fitted[name] for name in wide]
                left, fitted[narrow] = _nearest(torch.cat(weights), rank)
                parts = torch.split(left, [len(weight) for weight in weights])
                fitted.update(zip(wide, parts, strict=True))
        return fitted

    def _with_positions(self, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """With another stride over time the hidden layer has other positions: its weights lie
        between those that were, with the same sum."""
        weight, width = stored.get("hidden.weight"), 2 * self.config.recurrent_units
        if weight is None or weight.shape[1] % width or "narrow_said.weight" in stored:
            return dict(stored)
        by_step = weight.reshape(len(weight), -1, width).transpose(1, 2)
        before, steps = by_step.shape[2], -(-self.frames // self.config.stride[0])
        if before == steps:
            return dict(stored)
        between = functional.interpolate(by_step, steps, mode="linear", align_corners=True)
        return {**stored, "hidden.weight": (between * (before / steps)).transpose(1, 2).flatten(1)}

    def forward(self, features: Tensor) -> Tensor:
        (top, bottom), (left, right) = self.padding
        x = functional.pad(features.unsqueeze(1), (left, right, top, bottom))
        x = functional.relu(self.conv(x))  # (batch, filters, steps, bands)
        x = x.permute(0, 2, 1, 3).flatten(2)  # (batch, steps, filters * bands)
        x, _ = self.recurrent(self.narrow_found(x))
        x = self.narrow_said(self.dropout(x.flatten(1)))
        x = functional.relu(self.hidden(x))
        logits: Tensor = self.output(self.dropout(x))
        return logits


def _narrow(inputs: int, rank: int) -> nn.Module:
    """The first of two narrow matrices, where there are two."""
    return nn.Linear(inputs, rank, bias=False) if rank else nn.Identity()


def _nearest(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Two matrices, (rows, rank) and (rank, columns), whose product is nearest to ``weight``."""
    left, sizes, right = torch.linalg.svd(weight, full_matrices=False)
    root = sizes[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]
