"""How long a search of cells is, and how both of its levels learn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wakeword.errors import ConfigError


@dataclass(frozen=True)
class Schedule:
    """The defaults are those of Mo et al. 2020, Section 3.1.

    scenes_per_epoch: of each half of the recordings; 0: as many as a round of the recipe has.
    learning_rate, momentum, weight_decay: SGD for the weights, along a half cosine to
    final_learning_rate, which the paper does not state and is that of Liu et al. 2019.
    architecture_rate, architecture_decay: Adam for the architecture, whose first moment is averaged
    with 0.5. second_order: Liu et al. 2019, equation 7, which takes several times as long.
    """

    epochs: int = 50
    scenes_per_epoch: int = 0
    batch: int = 16
    learning_rate: float = 0.025
    final_learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 3e-4
    architecture_rate: float = 3e-4
    architecture_decay: float = 1e-3
    second_order: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("scenes_per_epoch", 0), ("batch", 2)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} = {getattr(self, name)} must be at least {least}")
        for name in ("momentum", "weight_decay", "architecture_decay"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name} = {getattr(self, name)} must be in [0, 1)")
        for name in ("learning_rate", "final_learning_rate", "architecture_rate"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ConfigError(f"{name} = {getattr(self, name)} must be in (0, 1]")

    def learning_rate_at(self, share: float) -> float:
        """Learning rate of the weights after ``share`` (0 to 1) of the search."""
        span = self.learning_rate - self.final_learning_rate
        return self.final_learning_rate + span * 0.5 * (1.0 + math.cos(math.pi * share))
