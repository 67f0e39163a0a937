"""What a network costs: one count for all of them, made by watching one window go through.

Counted are the multiply-accumulates of convolutions, fully connected and recurrent layers: every
weight as often as it is used. Batch norm (which becomes part of the convolution before it),
activations, pooling and additions are not; they are a few per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wakeword.networks.base import Network

RECURRENT = (nn.GRU, nn.LSTM)
WORKING = (nn.Conv2d, nn.Linear, *RECURRENT)
"""Modules with weights that are multiplied with something."""

Watch = Callable[[nn.Module, tuple[Any, ...], Any], None]


def parameter_count(model: nn.Module) -> int:
    """Number of parameters, those too that stay as they were published."""
    return sum(p.numel() for p in model.parameters())


def total_parameters(model: nn.Module) -> int:
    """All numbers that are kept: with batch norm's means and variances, as Choi et al. count."""
    kept = sum(b.numel() for b in model.buffers() if b.is_floating_point())
    return kept + parameter_count(model)


def macs(model: nn.Module) -> int:
    """Multiply-accumulates of one window."""
    total = 0

    def watch(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal total
        total += uses(module, inputs[0], output)

    with watching(model, watch):
        run_once(model)
    return total


def flops_per_window(model: nn.Module) -> int:
    """Floating point operations of one window: two for each multiply-accumulate."""
    return 2 * macs(model)


def run_once(model: nn.Module) -> None:
    """Let one window of zeros through, without gradients or dropout; the model is as before."""
    assert isinstance(model, Network), type(model)  # it knows its window
    training = model.training
    with torch.no_grad():
        device = next(model.parameters()).device
        model.eval()(torch.zeros(1, model.frames, model.channels, device=device))
    model.train(training)


@contextmanager
def watching(model: nn.Module, watch: Watch) -> Iterator[None]:
    """Call ``watch`` after each module that works, with what went in and what came out."""
    hooks = [m.register_forward_hook(watch) for m in model.modules() if isinstance(m, WORKING)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def uses(module: nn.Module, x: Tensor, output: Any) -> int:
    """How often the weights of ``module`` are used for a batch of one, all together."""
    weights = sum(p.numel() for name, p in module.named_parameters() if "weight" in name)
    if isinstance(module, RECURRENT):
        return weights * int(x.shape[1])  # batch first: once for each time step
    if isinstance(module, nn.Linear):
        return weights * int(output.numel() // module.out_features)
    return weights * int(output[0, 0].numel())
