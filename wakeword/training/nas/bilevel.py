"""Weights and architecture of a supernet, learnt by turns on the two halves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from wakeword.networks.nas.supernet import Supernet
from wakeword.training.layout import channels_last
from wakeword.training.nas.levels import Levels, Step, first_order, second_order
from wakeword.training.nas.schedule import Schedule
from wakeword.training.pool import Pool
from wakeword.training.windows import SceneArrays, WindowConfig

_LONGEST_GRADIENT = 5.0
_BETAS = (0.5, 0.999)
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Epoch:
    """One epoch: its number from 1, mean loss of the weights' half, and of the held half loss and
    share of windows that are right, before each step of the architecture."""

    epoch: int
    loss: float
    held_loss: float
    held_right: float


class Bilevel:
    """Holds supernet and both optimisers; ``train_epoch`` consumes a shard of each half."""

    def __init__(
        self, net: Supernet, schedule: Schedule, windows: WindowConfig, pool_shards: int
    ) -> None:
        self.net = net
        channels_last(net.weights)
        self.schedule = schedule
        self.pools = (Pool(pool_shards, windows), Pool(pool_shards, windows))
        s = schedule
        self.weights = torch.optim.SGD(
            net.weights, s.learning_rate, s.momentum, weight_decay=s.weight_decay
        )
        self.architecture = torch.optim.Adam(
            net.architecture, s.architecture_rate, _BETAS, weight_decay=s.architecture_decay
        )
        self.epoch = 0

    def state(self) -> dict[str, Any]:
        """All that a later run needs to go on."""
        return {
            "epoch": self.epoch,
            "net": self.net.state_dict(),
            "weights": self.weights.state_dict(),
            "architecture": self.architecture.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.epoch = int(state["epoch"])
        self.net.load_state_dict(state["net"])
        self.weights.load_state_dict(state["weights"])
        self.architecture.load_state_dict(state["architecture"])

    def add(self, own: SceneArrays, held: SceneArrays) -> None:
        """Put a shard of each half into the pools."""
        for pool, shard in zip(self.pools, (own, held), strict=True):
            pool.add(shard)

    def train_epoch(
        self, own: SceneArrays, held: SceneArrays, advance: Callable[[float], object]
    ) -> Epoch:
        """Add the shards, and take as many steps by turns as they have batches."""
        s = self.schedule
        self.add(own, held)
        rng = np.random.default_rng([s.seed, 0xDA27, self.epoch])
        torch.manual_seed(int(rng.integers(2**31)))
        steps = max(1, len(own) // s.batch)
        self.net.train()
        totals = np.zeros(3)
        for step in range(steps):
            rate = s.learning_rate_at((self.epoch + step / steps) / s.epochs)
            mine, other = (pool.batch(s.batch, rng) for pool in self.pools)
            totals += [*self._architecture_step(mine, other, rate), self._weights_step(mine, rate)]
            advance(1 / steps)
        self.epoch += 1
        held_loss, right, loss = (float(x) for x in totals / steps)
        return Epoch(self.epoch, loss, held_loss, right)

    def _architecture_step(self, own: Batch, held: Batch, rate: float) -> tuple[float, float]:
        """Loss and share of the held windows that are right, before the step."""
        seen: list[tuple[float, float]] = []

        def upper() -> Tensor:
            logits = self.net(held[0])
            loss = functional.cross_entropy(logits, held[1])
            right = (logits.argmax(1) == held[1]).float().mean()
            seen.append((float(loss.detach()), float(right)))
            return loss

        net = self.net
        levels = Levels(net.weights, net.architecture, lambda: self._loss(own), upper)
        gradient = (
            second_order(levels, self._step_ahead(rate))
            if self.schedule.second_order
            else first_order(levels)
        )
        for parameter, g in zip(net.architecture, gradient, strict=True):
            parameter.grad = g
        self.architecture.step()
        self.architecture.zero_grad(set_to_none=True)
        return seen[0]

    def _weights_step(self, own: Batch, rate: float) -> float:
        for group in self.weights.param_groups:
            group["lr"] = rate
        loss = self._loss(own)
        weights = self.net.weights
        for parameter, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            parameter.grad = g
        nn.utils.clip_grad_norm_(weights, _LONGEST_GRADIENT)
        self.weights.step()
        self.weights.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        return functional.cross_entropy(self.net(batch[0]), batch[1])

    def _step_ahead(self, rate: float) -> Step:
        s = self.schedule
        moving = [self.weights.state[w].get("momentum_buffer") for w in self.net.weights]
        return Step(rate, s.momentum, s.weight_decay, moving)
