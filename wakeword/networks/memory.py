"""How much memory a network takes on a microcontroller with 8-bit weights and activations.

As Zhang et al. 2017 count for Cortex-M: one byte for each weight and bias, and the largest two
arrays that are needed at the same time, a layer's input and its output. Batch norm is part of the
layer before it. Of a recurrent layer it is the whole input, and the gates of one time step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from wakeword.networks.base import Residual
from wakeword.networks.counting import run_once
from wakeword.networks.recurrent import ProjectedLstm

_SIMPLE = (nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass(frozen=True)
class Memory:
    """Bytes at 8 bits a number."""

    weights: int
    activations: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.weights + self.activations


def memory(model: nn.Module) -> Memory:
    """Count the bytes that one window needs.

    The inputs of a residual block are needed until its end, and so count beside the layers in it;
    the networks of the paper have none.
    """
    watch = _Watch()
    hooks = []
    for module in watched(model):
        hooks.append(module.register_forward_pre_hook(watch.before))
        hooks.append(module.register_forward_hook(watch.after))
    try:
        run_once(model)
    finally:
        for hook in hooks:
            hook.remove()
    return Memory(watch.weights, watch.activations)


def watched(model: nn.Module) -> list[nn.Module]:
    """Modules that are counted: what is inside of one that is counted whole is not."""
    if isinstance(model, (*_SIMPLE, *_NORMS, nn.ZeroPad2d, nn.GRU, nn.LSTM, ProjectedLstm)):
        return [model]
    inner = [m for child in model.children() for m in watched(child)]
    return [model, *inner] if isinstance(model, Residual) else inner


class _Watch:
    """Adds up as the window goes through."""

    def __init__(self) -> None:
        self.weights = 0
        self.activations = 0
        self._kept: list[tuple[Tensor, ...]] = []
        self._padded: list[tuple[Tensor, Tensor]] = []
        self._made: list[tuple[Tensor, nn.Module]] = []

    def before(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, Residual):
            self._kept.append(inputs)

    def after(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        x: Tensor = inputs[0]
        if isinstance(module, Residual):
            self._kept.pop()
        elif isinstance(module, nn.ZeroPad2d):
            self._padded.append((output, x))
        elif isinstance(module, _NORMS):
            self.weights += self._norm_bytes(module, x)
        else:
            # Nobody keeps the zeros around an image: a kernel knows where it ends.
            x = next((image for padded, image in self._padded if padded is x), x)
            self.weights += _weight_bytes(module)
            beside = sum(t.numel() for kept in self._kept for t in kept if t is not x)
            self.activations = max(self.activations, _pair_bytes(module, x, output) + beside)
            self._made.append((output, module))  # held, so that no other tensor is taken for it

    def _norm_bytes(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, x: Tensor) -> int:
        """Nothing but a bias that the layer before lacks; scale and shift where there is none."""
        before = next((m for made, m in self._made if made is x), None)
        if before is None:
            return 2 * norm.num_features
        return norm.num_features if getattr(before, "bias", None) is None else 0


def _weight_bytes(module: nn.Module) -> int:
    total = sum(p.numel() for p in module.parameters())
    if isinstance(module, nn.GRU | nn.LSTM):
        # Two biases that are only ever added are one; of a GRU's three gates, one keeps both.
        shared = module.hidden_size * (4 if isinstance(module, nn.LSTM) else 2)
        total -= shared * module.num_layers * (2 if module.bidirectional else 1)
    return total


def _pair_bytes(module: nn.Module, x: Tensor, output: Any) -> int:
    if isinstance(module, ProjectedLstm):
        return x.numel() + 5 * module.units  # four gates and the cells
    if isinstance(module, nn.GRU | nn.LSTM):
        gates = (4 if isinstance(module, nn.LSTM) else 3) * module.hidden_size
        sequence = int(output[0].numel()) if module.bidirectional else 0
        return x.numel() + sequence + gates
    return x.numel() + int(output.numel())
