"""Networks by name (train extra): a registry from family to frozen configuration and module."""

from __future__ import annotations

from typing import Any, Protocol, cast

from torch import Tensor, nn

from wakeword.errors import RecipeError
from wakeword.networks.crnn import Crnn, CrnnConfig
from wakeword.tables import from_table


class Network(Protocol):
    """What every network is: features (batch, frames, channels) -> logits (batch, labels)."""

    def __call__(self, features: Tensor) -> Tensor: ...

    def macs(self) -> int:
        """Multiply-accumulates of one window."""
        ...


FAMILIES: dict[str, tuple[type[Any], type[nn.Module]]] = {"crnn": (CrnnConfig, Crnn)}


def build(family: str, table: dict[str, Any], frames: int, channels: int, labels: int) -> nn.Module:
    """Construct a network by family name and table of its parameters, fresh weights.

    Raises
    ------
    RecipeError
        Unknown family or parameter.
    """
    if family not in FAMILIES:
        raise RecipeError(f"unknown network family '{family}'; there are: {', '.join(FAMILIES)}")
    config, module = FAMILIES[family]
    return module(
        from_table(config, table, f"network ({family})", RecipeError), frames, channels, labels
    )


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_per_window(model: nn.Module) -> int:
    """Floating point operations of one window: two for each multiply-accumulate."""
    return 2 * cast(Network, model).macs()
