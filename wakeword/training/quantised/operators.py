"""What the operators of an 8-bit network compute, in torch: those between its layers of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Attributes = Mapping[str, Any]
Inputs = Sequence[Any]
"""Tensors, and lists of whole numbers where ONNX has sizes or axes."""


def conv(x: Inputs, at: Attributes) -> Tensor:
    """Convolution over one or two axes, padded with zeros."""
    axes = x[1].dim() - 2
    run = functional.conv1d if axes == 1 else functional.conv2d
    bias = x[2] if len(x) > 2 else None
    return run(
        _padded(x[0], at, 0.0), x[1], bias, at.get("strides", [1] * axes), 0,
        at.get("dilations", [1] * axes), at.get("group", 1),
    )  # fmt: skip


def gemm(x: Inputs, at: Attributes) -> Tensor:
    """A fully connected layer."""
    weight = x[1] if at.get("transB", 0) else x[1].T
    return functional.linear(x[0], weight, x[2] if len(x) > 2 else None)


def batch_norm(x: Inputs, at: Attributes) -> Tensor:
    """With the mean and variance that training left behind."""
    return functional.batch_norm(x[0], x[3], x[4], x[1], x[2], eps=at.get("epsilon", 1e-5))


def max_pool(x: Inputs, at: Attributes) -> Tensor:
    """Largest of each stretch; what is padded is never the largest."""
    size = at["kernel_shape"]
    run = functional.max_pool1d if len(size) == 1 else functional.max_pool2d
    return run(_padded(x[0], at, -torch.inf), size, at.get("strides", [1] * len(size)))


def average_pool(x: Inputs, at: Attributes) -> Tensor:
    """Mean of each stretch, with padded zeros or without."""
    size = at["kernel_shape"]
    strides = at.get("strides", [1] * len(size))
    run = functional.avg_pool1d if len(size) == 1 else functional.avg_pool2d
    sums = run(_padded(x[0], at, 0.0), size, strides)
    if at.get("count_include_pad", 0) or not any(at.get("pads", ())):
        return sums
    return sums / run(_padded(torch.ones_like(x[0][:1, :1]), at, 0.0), size, strides)


def squeeze(x: Inputs, at: Attributes) -> Tensor:
    """Without axes of one."""
    return torch.squeeze(x[0], tuple(x[1])) if len(x) > 1 else torch.squeeze(x[0])


def unsqueeze(x: Inputs, at: Attributes) -> Tensor:
    """With more axes of one."""
    found: Tensor = x[0]
    for axis in sorted(x[1]):
        found = found.unsqueeze(axis)
    return found


def pad(x: Inputs, at: Attributes) -> Tensor:
    """Zeros before and after; ONNX names all befores first, torch the last axis."""
    before, after = x[1][: len(x[1]) // 2], x[1][len(x[1]) // 2 :]
    pairs = [n for pair in reversed(list(zip(before, after, strict=True))) for n in pair]
    return functional.pad(x[0], pairs)


def _padded(x: Tensor, at: Attributes, value: float) -> Tensor:
    pads = at.get("pads", ())
    if not any(pads):
        return x
    half = len(pads) // 2
    pairs = [n for axis in reversed(range(half)) for n in (pads[axis], pads[half + axis])]
    return functional.pad(x, pairs, value=value)


OPERATORS: dict[str, Callable[[Inputs, Attributes], Tensor]] = {
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": lambda x, at: torch.matmul(x[0], x[1]),
    "Add": lambda x, at: x[0] + x[1],
    "Relu": lambda x, at: torch.relu(x[0]),
    "BatchNormalization": batch_norm,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda x, at: x[0].mean(tuple(range(2, x[0].dim())), keepdim=True),
    "Concat": lambda x, at: torch.cat(list(x), at["axis"]),
    "Flatten": lambda x, at: x[0].flatten(at.get("axis", 1)),
    "Reshape": lambda x, at: x[0].reshape(x[1]),
    "Transpose": lambda x, at: x[0].permute(at["perm"]),
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Pad": pad,
}
"""By their name in ONNX: (inputs, attributes) -> output."""
