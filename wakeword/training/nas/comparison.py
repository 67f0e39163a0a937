"""Found against random cells: the same clips, the same schedule, several seeds, one test.

The clips of all rounds are made once and kept: every run sees the same ones, and the seeds differ
in first weights, batches and masks.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from wakeword.errors import TrainingError
from wakeword.networks import build
from wakeword.training.commands.watch import Watch
from wakeword.training.kept import KeptPlan, read_shard, shard_path
from wakeword.training.loop import Trainer
from wakeword.training.measuring import Stage
from wakeword.training.nas.contenders import Contender
from wakeword.training.recipe import Recipe
from wakeword.training.search.journal import Journal
from wakeword.training.shards import Plan, shards, start_worker


@dataclass(frozen=True)
class Bench:
    """What every run has in common; ``folder`` holds the shards of all rounds of ``recipe``."""

    recipe: Recipe
    folder: Path
    watch: Watch

    def accuracy(self, contender: Contender, seed: int) -> float:
        """Train with ``seed``, and give the share of watched clips that are right.

        Raises
        ------
        TrainingError
            The loss is no longer finite.
        """
        r = self.recipe
        torch.manual_seed(seed)
        model = build(
            "nas", contender.table, r.windows.frames, r.frontend.channels, len(r.labels)
        )
        trainer = Trainer(model, replace(r.training, seed=seed), r.cut)
        for number in range(r.training.rounds):
            report = trainer.train_round(read_shard(self.folder, number))
            if not np.isfinite(report.loss):
                raise TrainingError(
                    f"{contender.name}, seed {seed}: loss is {report.loss} in round {report.round}"
                )
        return self.watch.accuracy(trainer.average)


def run_name(contender: Contender, seed: int) -> str:
    """How the journal calls a run: other cells have another name."""
    cells = hashlib.sha256(json.dumps(contender.table).encode()).hexdigest()[:8]
    return f"{contender.name} ({cells}), seed {seed}"


def compare(
    bench: Bench,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    journal: Journal,
    jobs: int,
    stage: Stage,
) -> None:
    """Train what is not in ``journal`` yet, ``jobs`` runs at a time, each in one thread."""
    every = [(c, seed) for seed in seeds for c in contenders]
    left = [(c, seed) for c, seed in every if run_name(c, seed) not in journal.scores]
    advance = stage("training contenders", len(every), "runs")
    advance(len(every) - len(left))
    if not left:
        return
    fresh = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(jobs, fresh, _start, (bench,)) as pool:
        running = {pool.submit(_work, c, seed): run_name(c, seed) for c, seed in left}
        try:
            for done in as_completed(running):
                journal.add(running[done], done.result())
                advance(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def keep_shards(plan: Plan, folder: Path, count: int, workers: int, stage: Stage) -> None:
    """Make shards 0 to ``count - 1``, unless they are in ``folder`` already."""
    first = next((k for k in range(count) if not shard_path(folder, k).exists()), count)
    advance = stage("making clips", count, "rounds")
    advance(first)
    for _ in shards(KeptPlan(plan, folder), first, count, workers):
        advance(1)


_bench: Bench | None = None


def _start(bench: Bench) -> None:
    global _bench
    _bench = bench
    start_worker()
    torch.set_num_threads(1)


def _work(contender: Contender, seed: int) -> float:
    assert _bench is not None
    return _bench.accuracy(contender, seed)
