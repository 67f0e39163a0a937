"""The rounds of a run: from its last checkpoint on, told, watched, and kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wakeword.errors import TrainingError
from wakeword.training.checkpoint import load_checkpoint, save_checkpoint
from wakeword.training.commands.watch import Watch
from wakeword.training.loop import RoundReport, Trainer
from wakeword.training.measuring import Reporter
from wakeword.training.windows import SceneArrays


@dataclass(frozen=True)
class Rounds:
    """All rounds of ``trainer``; its checkpoints lie in ``folder`` and are of ``key``."""

    trainer: Trainer
    folder: Path
    key: str
    watch: Watch | None
    reporter: Reporter

    def run(self, shards: Callable[[int, int], Iterator[SceneArrays]]) -> None:
        """Train to the end, from the last checkpoint if there is one.

        ``shards`` gives those from one number up to another.

        Raises
        ------
        TrainingError
            The checkpoint is of another recipe, or the loss is no longer finite.
        """
        stored = load_checkpoint(self.folder, self.key)
        if stored is not None:
            self.trainer.restore(stored)
            self.reporter.note(f"resuming after round {stored.round}")
        rounds, first = self.trainer.training.rounds, self.trainer.first_shard
        if self.trainer.round >= rounds:
            return
        advance = self.reporter.stage("training", rounds, "rounds")
        advance(self.trainer.round)
        for number, shard in enumerate(shards(first, rounds), first):
            if number < self.trainer.round:
                self.trainer.refill(shard)
                continue
            self._after_round(self.trainer.train_round(shard))
            advance(1)

    def _after_round(self, report: RoundReport) -> None:
        if not math.isfinite(report.loss):
            raise TrainingError(
                f"loss is {report.loss} in round {report.round}; the checkpoint before is kept. "
                f"Try a lower learning_rate"
            )
        self.reporter.note(
            f"round {report.round}/{report.rounds}: loss {report.loss:.4f}, windows wrong "
            f"{100 * report.error:.2f} %, learning rate {report.learning_rate:.2g}"
        )
        if report.round % self.trainer.training.checkpoint_rounds == 0 or (
            report.round == report.rounds
        ):
            if self.watch is not None:
                right = self.watch.accuracy(self.trainer.average)
                self.trainer.log[-1]["accuracy"] = right
                self.reporter.note(f"dev clips right: {100 * right:.2f} %")
            save_checkpoint(self.folder, self.trainer.checkpoint(), self.key)
