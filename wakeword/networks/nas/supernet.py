"""All cells of a search space in one network: each edge is a weighted sum of all operations.

Mo et al. 2020, Section 2, after Liu et al. 2019, equation 2: the weights are a softmax over the
operations of an edge, shared by all normal cells, and by all that reduce.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from wakeword.networks.nas.cells import CellNetwork, CellShape, Entrance, Stack
from wakeword.networks.nas.genotype import EDGES_KEPT, INPUTS, NODES, Cell, Edge, Genotype
from wakeword.networks.nas.operations import KERNELS, ZERO, make_operation, operation_names

EDGES = sum(range(INPUTS, INPUTS + NODES))
"""Edges of a cell before any is left out: from every node to every later one."""
_FIRST_SCALE = 1e-3


@dataclass(frozen=True)
class Space:
    """Which operations are looked at, and the stack of cells in which they are."""

    operations: str = "nas1"
    kernels: tuple[int, ...] = KERNELS
    stack: Stack = field(default_factory=Stack)

    def __post_init__(self) -> None:
        assert self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The operations of an edge, in the order of its weights."""
        return operation_names(self.operations, self.kernels)


class Weights(NamedTuple):
    """Shares (edges, operations) of both cells; each row adds up to one."""

    normal: Tensor
    reduction: Tensor


class Supernet(CellNetwork):
    """features (batch, frames, channels) -> logits (batch, labels)."""

    def __init__(self, space: Space, frames: int, channels: int, labels: int) -> None:
        names, stack = space.names, space.stack
        super().__init__(stack, lambda s: MixedCell(s, names), frames, channels, labels)
        self.space = space
        self.reducing = stack.reducing
        # Reduction cells are few or none: theirs are kept all the same.
        shape = (EDGES, len(names))
        self.alpha_normal = nn.Parameter(_FIRST_SCALE * torch.randn(shape))
        self.alpha_reduction = nn.Parameter(_FIRST_SCALE * torch.randn(shape))

    @property
    def architecture(self) -> list[nn.Parameter]:
        """What the upper level learns."""
        return [self.alpha_normal, self.alpha_reduction]

    @property
    def weights(self) -> list[nn.Parameter]:
        """What the lower level learns."""
        chosen = {id(p) for p in self.architecture}
        return [p for p in self.parameters() if id(p) not in chosen]

    @property
    def shares(self) -> Weights:
        """How much of each operation is in each edge."""
        return Weights(self.alpha_normal.softmax(1), self.alpha_reduction.softmax(1))

    def through(self, number: int, before: Tensor, last: Tensor) -> Tensor:
        """What cell ``number`` makes of the two before it."""
        alpha = self.alpha_reduction if number in self.reducing else self.alpha_normal
        out: Tensor = self.cells[number](before, last, functional.softmax(alpha, 1))
        return out

    def genotype(self) -> Genotype:
        """The cells that are left of the weights as they are now."""
        shares = self.shares
        return derived(self.space, shares.normal.detach(), shares.reduction.detach())


class MixedCell(nn.Module):
    """The two cells before, and shares (edges, operations) -> four nodes, concatenated."""

    def __init__(self, shape: CellShape, names: tuple[str, ...]) -> None:
        super().__init__()
        self.entrance = Entrance(shape, affine=False)
        self.edges = nn.ModuleList(
            Mixed(names, shape.channels, shape.stride(source))
            for node in range(INPUTS, INPUTS + NODES)
            for source in range(node)
        )

    def forward(self, before: Tensor, last: Tensor, shares: Tensor) -> Tensor:
        made: list[Tensor] = self.entrance(before, last)
        first = 0
        for node in range(INPUTS, INPUTS + NODES):
            total = self.edges[first](made[0], shares[first])
            for k in range(1, node):
                total = total + self.edges[first + k](made[k], shares[first + k])
            made.append(total)
            first += node
        return torch.cat(made[INPUTS:], dim=1)


class Mixed(nn.Module):
    """One edge: x and shares (operations,) -> the sum of all operations over x.

    What is pooled is normed, as what is convolved is: else it would weigh more.
    """

    def __init__(self, names: tuple[str, ...], channels: int, stride: int) -> None:
        super().__init__()
        self.names = names
        made: list[nn.Module] = []
        for name in names:
            operation = make_operation(name, channels, stride, affine=False)
            if "pool" in name:
                operation = nn.Sequential(operation, nn.BatchNorm2d(channels, affine=False))
            made.append(operation)
        self.operations = nn.ModuleList(made)

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        # One after the other: all of them side by side would not fit into a core's memory.
        out: Tensor = shares[0] * self.operations[0](x)
        for operation, share in zip(self.operations[1:], shares[1:], strict=True):
            out = torch.addcmul(out, share, operation(x))
        return out


def derived(space: Space, normal: Tensor, reduction: Tensor) -> Genotype:
    """The genotype with the greatest shares (edges, operations) of both cells.

    Of each edge the strongest operation but zero; of each node the two strongest edges (Liu et
    al. 2019, Section 2.4).
    """
    return Genotype(space.operations, _strongest(space, normal), _strongest(space, reduction))


def _strongest(space: Space, shares: Tensor) -> Cell:
    names = space.names
    allowed = [k for k, name in enumerate(names) if name != ZERO]
    first, cell = 0, []
    for node in range(INPUTS, INPUTS + NODES):
        edges: list[tuple[float, Edge]] = []
        for source in range(node):
            row = shares[first + source]
            best = max(allowed, key=lambda k: float(row[k]))
            edges.append((float(row[best]), (names[best], source)))
        edges.sort(key=lambda edge: -edge[0])
        cell.append(tuple(sorted((e for _, e in edges[:EDGES_KEPT]), key=lambda e: e[1])))
        first += node
    return tuple(cell)
