"""The training loop: rounds of fresh scenes, cross entropy, Adam or SGD, averaged weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from wakeword.networks import Network
from wakeword.training.checkpoint import Checkpoint
from wakeword.training.layout import channels_last
from wakeword.training.pool import Pool
from wakeword.training.recipe import TrainingSection
from wakeword.training.teachers import Teachers
from wakeword.training.windows import SceneArrays, WindowConfig


@dataclass(frozen=True)
class RoundReport:
    """One round: its number (from 1), mean loss, window error rate, learning rate."""

    round: int
    rounds: int
    loss: float
    error: float
    learning_rate: float


class Trainer:
    """Holds network, averaged network and optimiser; ``train_round`` consumes one shard."""

    def __init__(
        self,
        model: Network,
        training: TrainingSection,
        windows: WindowConfig,
        teachers: Teachers | None = None,
    ) -> None:
        channels_last(model.parameters())
        self.model = model
        self.teachers = teachers
        self.average = copy.deepcopy(model)
        self.training = training
        self.optimizer = _optimizer(model, training)
        self.round = 0
        self.log: list[dict[str, float]] = []
        scales = teachers.heard.scales if teachers is not None else 1
        self._pool = Pool(training.pool_rounds, windows, scales)

    @property
    def first_shard(self) -> int:
        """The oldest shard that the pool of the next round holds."""
        return max(0, self.round - self.training.pool_rounds + 1)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on where ``checkpoint`` was taken."""
        self.model.load_state_dict(checkpoint.model)
        self.average.load_state_dict(checkpoint.average)
        self.optimizer.load_state_dict(checkpoint.optimizer)
        self.round, self.log = checkpoint.round, list(checkpoint.log)

    def checkpoint(self) -> Checkpoint:
        """The state now, as a value."""
        return Checkpoint(
            self.round,
            self.model.state_dict(),
            self.average.state_dict(),
            self.optimizer.state_dict(),
            self.log,
        )

    def refill(self, shard: SceneArrays) -> None:
        """Put a shard of an earlier round back into the pool after a resume."""
        self._pool.add(shard)

    def train_round(self, shard: SceneArrays) -> RoundReport:
        """Add ``shard`` to the pool and train on random windows of the whole pool."""
        t = self.training
        self._pool.add(shard)
        rng = np.random.default_rng([t.seed, 0x701D, self.round])
        torch.manual_seed(int(rng.integers(2**31)))
        steps = max(1, len(shard) * t.windows_per_scene // t.batch)
        self.model.train()
        losses, errors = 0.0, 0
        rate = t.learning_rate
        for step in range(steps):
            share = (self.round + step / steps) / t.rounds
            rate = t.learning_rate_at(share)
            loss, wrong = self._step(self._pool.batch(t.batch, rng), rate)
            losses, errors = losses + loss, errors + wrong
        self.round += 1
        report = RoundReport(self.round, t.rounds, losses / steps, errors / (steps * t.batch), rate)
        self.log.append({"round": self.round, "loss": report.loss, "error": report.error})
        return report

    def _step(self, batch: tuple[torch.Tensor, torch.Tensor], rate: float) -> tuple[float, int]:
        windows, labels = batch
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        wanted = labels
        if self.teachers is not None:
            wanted = self.teachers.targets(windows, labels, self.training)
            windows = self.teachers.own(windows)
        with torch.autocast("cpu", torch.bfloat16, self.training.precision == "bfloat16"):
            logits = self.model(windows)
        loss = functional.cross_entropy(
            logits.float(), wanted, label_smoothing=self.training.label_smoothing
        )
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self._update_average()
        return float(loss.detach()), int((logits.argmax(1) != labels).sum())

    @torch.no_grad()
    def _update_average(self) -> None:
        """Exponential moving average of the weights, slower as training goes on (up to decay).

        What batch norm has measured is averaged with them: means that fit other weights are wrong.
        """
        taken = self.round * 1000 + 1
        decay = min(self.training.average, taken / (taken + 100.0))
        now = self.model.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], 1.0 - decay)
            else:
                mean.copy_(now[name])


def _optimizer(model: nn.Module, training: TrainingSection) -> torch.optim.Optimizer:
    rate, decay = training.learning_rate, training.weight_decay
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(), lr=rate, momentum=training.momentum, weight_decay=decay
        )
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
