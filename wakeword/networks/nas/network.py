"""The network that a genotype stands for (family ``nas``)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wakeword.networks.base import Residual, check_share
from wakeword.networks.nas.cells import CellNetwork, CellShape, Entrance, Node, Stack
from wakeword.networks.nas.genotype import INPUTS, Genotype
from wakeword.networks.nas.genotype import Cell as Edges
from wakeword.networks.nas.operations import make_operation


@dataclass(frozen=True)
class NasConfig:
    """Cells of ``genotype``, stacked: the paper has 6 or 12, of 16 channels and more at first.

    reductions: cells, from 0, that reduce; none: every third, as the paper says.
    """

    genotype: Genotype
    cells: int = 6
    channels: int = 16
    reductions: tuple[int, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_share("dropout", self.dropout)
        assert self.stack

    @property
    def stack(self) -> Stack:
        """How the cells are stacked."""
        return Stack(self.cells, self.channels, self.reductions)


class Nas(CellNetwork):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, config: NasConfig, frames: int, channels: int, labels: int) -> None:
        g = config.genotype
        super().__init__(
            config.stack,
            lambda shape: FoundCell(shape, g.reduction if shape.reduces else g.normal),
            frames,
            channels,
            labels,
        )
        self.config = config
        self.dropout = nn.Dropout(config.dropout)


class FoundCell(Residual):
    """The two cells before -> this one's four nodes, concatenated."""

    def __init__(self, shape: CellShape, edges: Edges) -> None:
        super().__init__()
        self.entrance = Entrance(shape)
        self.nodes = nn.ModuleList(
            Node(
                [source for _, source in node],
                [make_operation(o, shape.channels, shape.stride(k)) for o, k in node],
            )
            for node in edges
        )

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        made = self.entrance(before, last)
        for node in self.nodes:
            made.append(node(*made))
        return torch.cat(made[INPUTS:], dim=1)
