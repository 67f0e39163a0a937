"""How cells are stacked, whichever they are: widths, reductions, head and last layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from wakeword.errors import ConfigError
from wakeword.networks.base import Network, Residual, check_sizes
from wakeword.networks.nas.genotype import NODES
from wakeword.networks.nas.operations import Halving, pointwise

HEAD_WIDTH = 3
"""Channels of the head, times those of the first cell (Liu et al. 2019)."""
EVERY = 3
"""Two normal cells, then one that reduces (Mo et al. 2020, Section 2)."""
_WIDEST = 2048


@dataclass(frozen=True)
class Stack:
    """So many cells, the first of ``channels``; ``reductions`` reduce, () for every third."""

    cells: int = 6
    channels: int = 16
    reductions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_sizes("nas", 60, cells=self.cells)
        check_sizes("nas", 1024, channels=self.channels)
        if not set(self.reductions) <= set(range(self.cells)):
            raise ConfigError(
                f"nas: reductions = {list(self.reductions)} must be from 0 to {self.cells - 1}"
            )
        if self.channels * 2 ** len(self.reducing) > _WIDEST:
            raise ConfigError(
                f"nas: {self.channels} channels, doubled {len(self.reducing)} times, are more "
                f"than {_WIDEST}"
            )

    @property
    def reducing(self) -> frozenset[int]:
        """Which cells, from 0, double the channels and halve the resolution."""
        return frozenset(self.reductions or range(EVERY - 1, self.cells, EVERY))

    @property
    def shapes(self) -> Iterator[CellShape]:
        """What each cell gets and makes."""
        before = last = HEAD_WIDTH * self.channels
        width, reduced = self.channels, False
        for k in range(self.cells):
            reduces = k in self.reducing
            width *= 2 if reduces else 1
            yield CellShape(before, last, width, reduces, reduced)
            before, last, reduced = last, NODES * width, reduces


@dataclass(frozen=True)
class CellShape:
    """Channels of the two cells before, of this one's nodes; which of the cells reduce."""

    before: int
    last: int
    channels: int
    reduces: bool
    after_reduction: bool

    def stride(self, source: int) -> int:
        """That of an operation over node ``source``: the inputs of a reduction cell are halved."""
        return 2 if self.reduces and source < 2 else 1


class Entrance(nn.Module):
    """The outputs of the two cells before, as nodes 0 and 1 of a cell."""

    def __init__(self, shape: CellShape, *, affine: bool = True) -> None:
        super().__init__()
        bring = Halving if shape.after_reduction else pointwise
        self.before = bring(shape.before, shape.channels, affine=affine)
        self.last = pointwise(shape.last, shape.channels, affine=affine)

    def forward(self, before: Tensor, last: Tensor) -> list[Tensor]:
        return [self.before(before), self.last(last)]


class CellNetwork(Network):
    """features (batch, frames, channels) -> logits (batch, labels).

    ``make`` makes a cell of a shape.

    Raises
    ------
    ConfigError
        A window that is too small to be halved so often.
    """

    def __init__(
        self,
        stack: Stack,
        make: Callable[[CellShape], nn.Module],
        frames: int,
        channels: int,
        labels: int,
    ) -> None:
        super().__init__(frames, channels, labels)
        least = 2 ** len(stack.reducing)
        if min(frames, channels) < least:
            raise ConfigError(
                f"nas: {len(stack.reducing)} reduction cells need at least {least} frames and "
                f"channels, not {frames} by {channels}"
            )
        width = HEAD_WIDTH * stack.channels
        self.head = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )
        self.cells = nn.ModuleList(make(shape) for shape in stack.shapes)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.0)
        self.output = nn.Linear(NODES * list(stack.shapes)[-1].channels, labels)

    def forward(self, features: Tensor) -> Tensor:
        before = last = self.head(features.unsqueeze(1))
        for number in range(len(self.cells)):
            before, last = last, self.through(number, before, last)
        logits: Tensor = self.output(self.dropout(self.pool(last).flatten(1)))
        return logits

    def through(self, number: int, before: Tensor, last: Tensor) -> Tensor:
        """What cell ``number`` makes of the two before it."""
        out: Tensor = self.cells[number](before, last)
        return out


class Node(Residual):
    """The sum of its edges; all nodes before it stay, for those after it."""

    def __init__(self, sources: Sequence[int], operations: Sequence[nn.Module]) -> None:
        super().__init__()
        self.sources = tuple(sources)
        self.operations = nn.ModuleList(operations)

    def forward(self, *nodes: Tensor) -> Tensor:
        first, *others = (
            op(nodes[k]) for k, op in zip(self.sources, self.operations, strict=True)
        )
        total: Tensor = first
        for made in others:
            total = total + made
        return total
