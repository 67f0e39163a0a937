"""A candidate's score: trained as a recipe says, for fewer rounds, and its dev clips right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wakeword.data.manifest import read_manifest
from wakeword.errors import RecipeError
from wakeword.networks.candidates import SAMPLE_RATE, Candidate
from wakeword.training.derived import derive
from wakeword.training.network_defaults import scaled_windows
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.run import TrainingRun

ACCURACY = "accuracy"
RUNS = "runs"


def searchable(recipe: Path) -> Recipe:
    """The recipe of a command set, which can be scored by its dev clips.

    Raises
    ------
    RecipeError
        It is none, or its rate is not that of the candidates.
    """
    found = read_recipe(recipe)
    if found.commands is None:
        raise RecipeError(f"recipe {recipe} has no [commands]: a search scores command sets")
    if found.frontend.sample_rate != SAMPLE_RATE:
        raise RecipeError(
            f"recipe {recipe}: a search is at {SAMPLE_RATE} Hz, not {found.frontend.sample_rate}"
        )
    return found


def search_key(recipe: Path, rounds: int) -> dict[str, Any]:
    """What must be equal for scores to be comparable, and a search to be gone on with."""
    base = read_recipe(recipe)
    table = base.to_dict()
    text = json.dumps({k: v for k, v in table.items() if k not in ("network", "bundle")})
    manifests = [recipe.parent / p for p in (base.data.manifest, *base.data.more_manifests)]
    data = [read_manifest(path).sha256 for path in manifests]
    return {
        "recipe": hashlib.sha256(text.encode()).hexdigest(),
        "words": list(base.bundle.words),
        "data": data,
        "rounds": rounds,
    }


class Quiet:
    """What one of many runs has to say is not said: each would repeat the others."""

    def stage(self, name: str, total: float, unit: str = "s") -> Callable[[float], None]:
        """Nothing to see."""
        return lambda _: None

    def note(self, text: str) -> None:
        """Nothing to read."""


class TrainedScorer:
    """Trains candidates below ``folder``, each in a run of its own that can be gone on with."""

    def __init__(
        self, recipe: Path, folder: Path, rounds: int, workers: int, say: Callable[[str], None]
    ) -> None:
        self._recipe = recipe
        self._base = searchable(recipe)
        self._folder = folder
        self._rounds = rounds
        self._workers = workers
        self._say = say

    def __call__(self, candidate: Candidate) -> float:
        """Share of the dev clips that are right after the last round.

        Raises
        ------
        TrainingError
            Training failed.
        RecipeError
            There are no dev clips.
        """
        name = hashlib.sha256(candidate.name.encode()).hexdigest()[:12]
        folder = self._folder / RUNS / name
        path = self.recipe_of(candidate, folder.with_suffix(".toml"), self._rounds)
        run = TrainingRun(path, folder, self._workers, Quiet())
        if run.watch is None:
            raise RecipeError(f"recipe {self._recipe}: its manifest has no dev clips to score by")
        run.run()
        accuracy = run.watch.accuracy(run.trainer.average)
        self._say(f"{candidate.name}: {100 * accuracy:.2f} % of the dev clips right")
        return accuracy

    def recipe_of(self, candidate: Candidate, out: Path, rounds: int | None = None) -> Path:
        """Write the recipe with the network and the features of ``candidate``."""
        c, base = candidate, self._base
        frontend = {
            **base.frontend.to_dict(),
            "kind": "mfcc",
            "window_samples": c.frontend.window_samples,
            "hop_samples": c.frontend.hop_samples,
            "fft_size": c.frontend.fft_size,
            "n_mels": c.frontend.n_mels,
            "n_mfcc": c.frontend.n_mfcc,
        }
        changes: dict[str, Any] = {
            "network": {"family": c.family, "parameters": c.table},
            "frontend": frontend,
            "windows": asdict(scaled_windows(base.windows, base.frontend, c.frontend, c.frames)),
        }
        if rounds is not None:
            changes["training.rounds"] = rounds
        return derive(self._recipe, changes, out)
