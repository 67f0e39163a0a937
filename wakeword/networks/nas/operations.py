"""What an edge of a cell can do: the seven candidate operations of Mo et al. 2020, Section 3.1.

A regular and a dilated convolution are ReLU, convolution, batch norm; a separable one is that
twice, each time depthwise, then pointwise (Liu et al. 2019, Section 3.1.1). The dilation is two.
The text that we have of the paper lacks the body of its Table 1: kernels are 3 and 5, which its
Section 2 names and DARTS has, and pooling is over 3 by 3.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from wakeword.errors import ConfigError

ZERO, SKIP = "zero", "skip"
POOLS = ("avg-pool", "max-pool")
CONVOLUTIONS = ("conv", "dil-conv", "sep-conv")
POOL_KERNEL, DILATION = 3, 2
KERNELS = (3, 5)
"""Sizes that a convolution can have, frames by channels alike."""

SETS: Mapping[str, tuple[str, ...]] = {
    "nas1": (ZERO, SKIP, *POOLS, "sep-conv", "dil-conv"),
    "nas2": (ZERO, SKIP, *POOLS, "conv", "dil-conv"),
}
"""Kinds of operations that a search chooses from, by the names of the paper."""


def operation_names(operations: str, kernels: tuple[int, ...] = KERNELS) -> tuple[str, ...]:
    """All candidates of a set, a convolution once for each of ``kernels``.

    Raises
    ------
    ConfigError
        There is no such set, or no such kernel.
    """
    if operations not in SETS:
        raise ConfigError(f"unknown operations '{operations}'; there are: {', '.join(SETS)}")
    if not kernels or len(set(kernels)) < len(kernels) or not set(kernels) <= set(KERNELS):
        raise ConfigError(f"kernels = {list(kernels)} must be some of {list(KERNELS)}, each once")
    names: list[str] = []
    for kind in SETS[operations]:
        sizes = kernels if kind in CONVOLUTIONS else (POOL_KERNEL,)
        names += [kind] if kind in (ZERO, SKIP) else [f"{kind}-{k}x{k}" for k in sizes]
    return tuple(names)


def make_operation(name: str, channels: int, stride: int, *, affine: bool = True) -> nn.Module:
    """A module from (batch, channels, n, m) to the same, n and m divided by ``stride``, up.

    ``affine``: whether batch norm scales and shifts; it does not in a search, where a weight of
    the architecture does.
    """
    if name == ZERO:
        return Nothing(stride)
    if name == SKIP:
        return nn.Identity() if stride == 1 else Halving(channels, channels, affine=affine)
    kind, _, size = name.rpartition("-")
    kernel = int(size.partition("x")[0])
    if kind == "avg-pool":
        return nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
    if kind == "max-pool":
        return nn.MaxPool2d(kernel, stride, kernel // 2)
    if kind == "sep-conv":
        return nn.Sequential(
            *_separable(channels, kernel, stride, affine), *_separable(channels, kernel, 1, affine)
        )
    assert kind in CONVOLUTIONS, name  # genotypes and sets are checked
    dilation = DILATION if kind == "dil-conv" else 1
    around = dilation * (kernel // 2)
    conv = nn.Conv2d(channels, channels, kernel, stride, around, dilation, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(channels, affine=affine))


def pointwise(inputs: int, outputs: int, *, affine: bool = True) -> nn.Module:
    """ReLU, 1 by 1 convolution, batch norm: brings what enters a cell to its width."""
    conv = nn.Conv2d(inputs, outputs, 1, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outputs, affine=affine))


class Halving(nn.Module):
    """Half the resolution, up: two 1 by 1 convolutions, one over positions that the other skips."""

    def __init__(self, inputs: int, outputs: int, *, affine: bool = True) -> None:
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(x)
        moved = functional.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
        out: Tensor = self.norm(torch.cat([self.even(x), self.odd(moved)], dim=1))
        return out


class Nothing(nn.Module):
    """No connection: zeros."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


def _separable(channels: int, kernel: int, stride: int, affine: bool) -> list[nn.Module]:
    depthwise = nn.Conv2d(
        channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False
    )
    mixing = nn.Conv2d(channels, channels, 1, bias=False)
    return [nn.ReLU(), depthwise, mixing, nn.BatchNorm2d(channels, affine=affine)]
