"""What a study would take: the variants, their sizes, and how long their networks' steps take."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from studies.variants import Setting, Variant
from wakeword.evaluation.tables import Table
from wakeword.networks import build, parameter_count
from wakeword.training.derived import derive
from wakeword.training.loop import Trainer
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.windows import SceneArrays

_SCENES = 128


def plan(variants: Sequence[Variant], setting: Setting) -> Table:
    """A row for each variant; scenes are made beside the steps, by other processes."""
    rows = []
    for variant in variants:
        path = setting.folder / "runs" / variant.name / "recipe.toml"
        recipe = read_recipe(derive(setting.recipe, variant.changes, path))
        parameters, step_s = _time_steps(recipe)
        training = recipe.training
        per_round = max(1, training.scenes_per_round * training.windows_per_scene // training.batch)
        hours = step_s * per_round * training.rounds / 3600.0
        rows.append(
            (
                variant.name,
                f"{parameters:,}",
                f"{training.rounds}",
                f"{per_round * training.rounds:,}",
                f"{1000 * step_s:.0f} ms",
                f"{hours:.1f} h",
            )
        )
    header = ("variant", "parameters", "rounds", "steps", "a step", "all steps, one core")
    return Table(header, tuple(rows))


def _time_steps(recipe: Recipe) -> tuple[int, float]:
    """Parameters, and seconds of one step on random windows, on one core.

    Processor time, the least of two rounds: what else the machine does is not counted.
    """
    torch.manual_seed(0)
    torch.set_num_threads(1)
    labels = len(recipe.bundle.words) + 1
    frames, channels = recipe.windows.frames, recipe.frontend.channels
    model = build(recipe.network.family, recipe.network.parameters, frames, channels, labels)
    trainer = Trainer(model, recipe.training, recipe.windows)
    rng = np.random.default_rng(0)
    scenes = SceneArrays(
        rng.standard_normal((_SCENES, frames + 50, channels)).astype(np.float16),
        np.zeros(_SCENES, np.int64),
        np.zeros(_SCENES, np.int64),
        np.zeros(_SCENES, np.int64),
    )
    steps = max(1, _SCENES * recipe.training.windows_per_scene // recipe.training.batch)
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        trainer.train_round(scenes)
        best = min(best, (time.process_time() - began) / steps)
    return parameter_count(model), best
