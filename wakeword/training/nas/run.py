"""One search of cells from recipe to genotype: prepared, resumed, searched."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from wakeword.errors import TrainingError
from wakeword.networks.nas.supernet import Space, Supernet, Weights, derived
from wakeword.training.checkpoint import load_state, recipe_key, save_state
from wakeword.training.derived import derive
from wakeword.training.material import plan_of, prepare, read_recordings
from wakeword.training.measuring import Reporter
from wakeword.training.nas.bilevel import Bilevel, Epoch
from wakeword.training.nas.halves import HalvesPlan, halves
from wakeword.training.nas.record import Found, write_search
from wakeword.training.nas.schedule import Schedule
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.run import RunPaths
from wakeword.training.shards import shards

FOUND_RECIPE = "found.toml"


class SearchRun:
    """A recipe with its recordings and a space of cells: ``run`` searches, ``found`` is the result.

    The network that the recipe names is not used, all else is.
    """

    def __init__(
        self,
        recipe_path: Path,
        folder: Path,
        space: Space,
        schedule: Schedule,
        workers: int,
        reporter: Reporter,
    ) -> None:
        self.recipe: Recipe = read_recipe(recipe_path)
        self.recipe_path, self.folder = recipe_path, folder
        self.space, self.schedule = space, schedule
        self.workers, self.reporter = workers, reporter
        r = self.recipe
        recordings = read_recordings(r, recipe_path.parent, reporter)
        torch.manual_seed(schedule.seed)
        # Threads that wait for each other lose more to a busy core than they gain.
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - max(1, workers)))
        net = Supernet(space, r.windows.frames, r.frontend.channels, len(r.labels))
        self.bilevel = Bilevel(net, schedule, r.cut, r.training.pool_rounds)
        self.key = _key(r, recordings.trained_on.sha256, space, schedule)
        self.epochs: list[Epoch] = []
        self.shares: list[Weights] = []
        stored = load_state(folder, self.key, lambda state: state)
        folder.mkdir(parents=True, exist_ok=True)
        sources = prepare(r, recordings.chosen(r), RunPaths(folder).cache, reporter)
        own, held = halves(sources)
        self.plan = HalvesPlan(plan_of(self._sized, own), plan_of(self._sized, held))
        if stored is not None:
            self._restore(stored)

    def run(self) -> None:
        """Search to the end, from the last checkpoint if there is one.

        Raises
        ------
        TrainingError
            The loss is no longer finite.
        """
        last = self.schedule.epochs
        if self.bilevel.epoch >= last:
            return
        advance = self.reporter.stage("searching cells", last, "epochs")
        advance(self.bilevel.epoch)
        first = max(0, self.bilevel.epoch - self.recipe.training.pool_rounds + 1)
        made = shards(self.plan, 2 * first, 2 * last, self.workers)
        for number, (own, held) in enumerate(zip(made, made, strict=True), first):
            if number < self.bilevel.epoch:
                self.bilevel.add(own, held)
                continue
            self._after_epoch(self.bilevel.train_epoch(own, held, advance))

    def found(self) -> Found:
        """The cells of the best epoch, and how they were found.

        Raises
        ------
        TrainingError
            Nothing was searched yet.
        """
        if not self.epochs:
            raise TrainingError("there is no genotype before the first epoch of a search")
        genotypes = [derived(self.space, w.normal, w.reduction) for w in self.shares]
        return Found(self.space, tuple(self.epochs), tuple(self.shares), tuple(genotypes))

    def write(self) -> Path:
        """Write genotype, journal, pictures and the recipe of the found network into the folder."""
        found = self.found()
        path = write_search(self.folder, found)
        stack = {k: v for k, v in asdict(self.space.stack).items() if v != ()}
        parameters = {**stack, "genotype": found.genotype.to_dict()}
        network = {"family": "nas", "parameters": parameters}
        derive(self.recipe_path, {"network": network}, self.folder / FOUND_RECIPE)
        return path

    @property
    def _sized(self) -> Recipe:
        """The recipe, a round as long as an epoch of the search."""
        size = self.schedule.scenes_per_epoch or self.recipe.training.scenes_per_round
        return replace(
            self.recipe, training=replace(self.recipe.training, scenes_per_round=size)
        )

    def _after_epoch(self, epoch: Epoch) -> None:
        if not math.isfinite(epoch.loss + epoch.held_loss):
            raise TrainingError(
                f"loss is {epoch.loss} in epoch {epoch.epoch}; the checkpoint before is kept. Try "
                "a lower --learning-rate"
            )
        shares = self.bilevel.net.shares
        self.epochs.append(epoch)
        self.shares.append(Weights(shares.normal.detach(), shares.reduction.detach()))
        found = self.found()
        state = {
            **self.bilevel.state(),
            "epochs": [asdict(e) for e in self.epochs],
            "shares": [tuple(w) for w in self.shares],
        }
        save_state(self.folder, state, self.key)
        self.reporter.note(
            f"epoch {epoch.epoch}/{self.schedule.epochs}: loss {epoch.loss:.4f}, held "
            f"{epoch.held_loss:.4f}, held windows right {100 * epoch.held_right:.2f} %, entropy "
            f"{found.entropies[-1][0]:.3f} and {found.entropies[-1][1]:.3f}"
        )

    def _restore(self, stored: dict[str, Any]) -> None:
        self.bilevel.restore(stored)
        self.epochs = [Epoch(**e) for e in stored["epochs"]]
        self.shares = [Weights(*w) for w in stored["shares"]]
        self.reporter.note(f"resuming after epoch {self.bilevel.epoch}")


def _key(recipe: Recipe, data_sha256: str, space: Space, schedule: Schedule) -> str:
    """What must be equal for a search to be gone on with."""
    plain = [recipe_key(recipe, data_sha256), asdict(space), asdict(schedule)]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
