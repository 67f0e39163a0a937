"""Training in bfloat16: the same course as in float32, with float32 weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tone_recipe import write_tone_recipe

from wakeword.errors import RecipeError
from wakeword.networks import build
from wakeword.training.loop import Trainer
from wakeword.training.recipe import TrainingSection, read_recipe
from wakeword.training.windows import SceneArrays, WindowConfig

FLOAT32 = TrainingSection(rounds=6, batch=16, average=0.5, windows_per_scene=4)


def scenes(frames: int = 110, channels: int = 40) -> SceneArrays:
    """Two classes: louder in the lower or in the upper half of the channels."""
    rng = np.random.default_rng(5)
    labels = np.arange(32) % 2
    features = rng.normal(0.0, 1.0, (32, frames, channels))
    features[:, :, :20] += labels[:, None, None]
    features[:, :, 20:] -= labels[:, None, None]
    nowhere = np.zeros(32, np.int64)
    return SceneArrays(features.astype(np.float16), labels, nowhere, nowhere)


def trained(training: TrainingSection) -> Trainer:
    """The same network and windows each time."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = build("tc-resnet8", {"dropout": 0.0}, 98, 40, 2)
    trainer = Trainer(model, training, WindowConfig(frames=98, latest_after_end=65))
    for _ in range(training.rounds):
        trainer.train_round(scenes())
    return trainer


def test_bfloat16_learns_what_float32_learns() -> None:
    exact, rounded = trained(FLOAT32), trained(replace(FLOAT32, precision="bfloat16"))
    losses = np.array([[e["loss"] for e in t.log] for t in (exact, rounded)])
    assert losses[1, -1] < 0.8 * losses[1, 0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.2, atol=0.02)
    assert not np.array_equal(losses[0], losses[1])  # else nothing was computed in bfloat16


def test_the_weights_stay_float32() -> None:
    state = trained(replace(FLOAT32, precision="bfloat16", rounds=1)).checkpoint()
    for weights in (state.model, state.average):
        kinds = {v.dtype for v in weights.values() if v.is_floating_point()}
        assert kinds == {torch.float32}


def test_another_precision_is_refused(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    text = recipe.read_text(encoding="utf-8")
    lines = "[training]\nprecision = 'float16'\n"
    recipe.write_text(text.replace("[training]\n", lines), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"precision.*float16"):
        read_recipe(recipe)
