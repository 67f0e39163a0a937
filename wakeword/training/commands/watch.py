"""Accuracy on the dev split while a command set is trained: is it still learning?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from wakeword.data.commands.trials import CommandTrials
from wakeword.data.manifest import Manifest
from wakeword.errors import EvaluationError
from wakeword.networks import Network
from wakeword.training.commands.features import clip_features
from wakeword.training.measuring import Reporter
from wakeword.training.recipe import Recipe

SPLIT = "dev"
_BATCH = 256


@dataclass(frozen=True)
class Watch:
    """Features (clips, frames, channels) of a split, and the class of each clip."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]

    @torch.no_grad()
    def accuracy(self, model: Network) -> float:
        """Share of clips whose class has the highest output of ``model``."""
        training = model.training
        model.eval()
        found = [
            model(torch.from_numpy(self.features[first : first + _BATCH])).argmax(1).numpy()
            for first in range(0, len(self.labels), _BATCH)
        ]
        model.train(training)
        return float(np.mean(np.concatenate(found) == self.labels))


def watch_split(
    recipe: Recipe, manifest: Manifest, reporter: Reporter, split: str = SPLIT
) -> Watch | None:
    """The clips of a command set; None for other recipes, or where there are no such clips."""
    if recipe.commands is None:
        return None
    noise = frozenset(recipe.data.noise_corpora)
    try:
        trials = CommandTrials(manifest, recipe.bundle.words, recipe.commands, noise, split)
    except EvaluationError as error:
        reporter.note(f"training is not watched: {error}")
        return None
    features = clip_features(trials, recipe.frontend, reporter.stage)
    return Watch(features, trials.labels)
