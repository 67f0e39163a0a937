"""The gradient of the upper level: what a change of the architecture does to the held half's loss.

Liu et al. 2019, Section 2.3: the best weights for an architecture are taken to be those of one
more step of training, or, to first order, those that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

_REACH = 0.01
"""How far the weights are moved for a finite difference (Liu et al. 2019, footnote 2)."""


@dataclass(frozen=True)
class Levels:
    """Both parameters and both losses, each computed anew when it is called."""

    weights: Sequence[Tensor]
    architecture: Sequence[Tensor]
    lower: Callable[[], Tensor]
    upper: Callable[[], Tensor]


@dataclass(frozen=True)
class Step:
    """The step of SGD that is looked ahead: its rate, momentum, decay, and what moves so far."""

    rate: float
    momentum: float = 0.0
    decay: float = 0.0
    moving: Sequence[Tensor | None] = ()


def first_order(levels: Levels) -> tuple[Tensor, ...]:
    """The gradient of the upper loss by the architecture, the weights as they are."""
    return torch.autograd.grad(levels.upper(), list(levels.architecture))


def second_order(levels: Levels, step: Step) -> tuple[Tensor, ...]:
    """The same after a step of the weights that itself depends on the architecture (equation 7).

    The product with the matrix of second derivatives is a finite difference (equation 8).
    """
    weights, architecture = list(levels.weights), list(levels.architecture)
    pull = torch.autograd.grad(levels.lower(), weights)
    moving = step.moving or [None] * len(weights)
    ahead = [
        g + step.decay * w.detach() + (0.0 if m is None else step.momentum * m)
        for w, g, m in zip(weights, pull, moving, strict=True)
    ]
    with _moved(weights, ahead, -step.rate):
        both = torch.autograd.grad(levels.upper(), architecture + weights)
    direct, across = both[: len(architecture)], both[len(architecture) :]
    length = torch.linalg.vector_norm(torch.cat([v.flatten() for v in across]))
    if not float(length) > 0.0:
        return direct
    reach = _REACH / float(length)
    with _moved(weights, across, reach):
        above = torch.autograd.grad(levels.lower(), architecture)
    with _moved(weights, across, -reach):
        below = torch.autograd.grad(levels.lower(), architecture)
    return tuple(
        d - step.rate * (a - b) / (2.0 * reach)
        for d, a, b in zip(direct, above, below, strict=True)
    )


@contextmanager
def _moved(weights: Sequence[Tensor], along: Sequence[Tensor], by: float) -> Iterator[None]:
    """Weights plus ``by`` times ``along``, and exactly what they were again afterwards."""
    before = [w.detach().clone() for w in weights]
    try:
        with torch.no_grad():
            for w, v in zip(weights, along, strict=True):
                w.add_(v, alpha=by)
        yield
    finally:
        with torch.no_grad():
            for w, b in zip(weights, before, strict=True):
                w.copy_(b)
