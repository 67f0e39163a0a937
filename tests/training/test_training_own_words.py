"""Words learnt beside the bundle's: more outputs in training, background in the bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.data.scenes import SceneMaker
from wakeword.errors import RecipeError
from wakeword.networks import build
from wakeword.training.own_words import OwnWords
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.start import learnt_labels, start_from


def low_tone_beside_high_tone(folder: Path, **changes: object) -> Path:
    recipe = write_tone_recipe(folder, words='["low tone"]', **changes)
    text = recipe.read_text(encoding="utf-8")
    text = text.replace("[data]", '[data]\nalso_words = ["high tone"]')
    recipe.write_text(text.replace("[scenes]", "[scenes]\nalso = 0.25"), encoding="utf-8")
    return recipe


def test_their_probability_is_that_of_background() -> None:
    torch.manual_seed(1)
    model = build("crnn", {"filters": 2, "recurrent_units": 3, "hidden": 4}, 40, 12, 6)
    features = 3.0 * torch.randn(5, 40, 12)
    every = torch.softmax(model(features), 1)
    own = torch.softmax(OwnWords(model, 2)(features), 1)
    assert own.shape == (5, 3)
    torch.testing.assert_close(own[:, 1:], every[:, 1:3])
    torch.testing.assert_close(own[:, 0], every[:, 0] + every[:, 3:].sum(1))


def test_a_run_learns_them_and_its_bundle_does_not_name_them(tmp_path: Path) -> None:
    run = TrainingRun(low_tone_beside_high_tone(tmp_path), tmp_path / "run", 0, Notes())
    assert [len(found) for found in (run.sources.words + run.sources.also)] == [6, 6]
    run.run()
    bundle = run.bundle()
    assert bundle.words == ("low tone",)
    assert learnt_labels(bundle) == ("background", "low tone", "high tone")
    model = build("crnn", run.recipe.network.parameters, 151, 40, 3)
    start_from(model, bundle, run.recipe.labels)
    for name, value in run.trainer.average.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)


def test_scenes_hold_them_as_often_as_asked(tmp_path: Path) -> None:
    run = TrainingRun(low_tone_beside_high_tone(tmp_path), tmp_path / "run", 0, Notes())
    maker = SceneMaker(run.sources, run.recipe.scenes)
    rng = np.random.default_rng(1)
    labels = np.array([maker.positive(rng).label for _ in range(400)])
    assert set(labels) == {1, 2}
    assert 0.17 < (labels == 2).mean() < 0.33


@pytest.mark.parametrize(
    ("data", "scenes", "said"),
    [
        ('also_words = ["low tone"]', "also = 0.2", "all different"),
        ('also_words = ["Yes"]', "also = 0.2", "lower case"),
        ('also_words = ["high tone"]', "also = 0.0", "either both or none"),
        ("also_words = []", "also = 0.2", "either both or none"),
        ('also_words = ["high tone"]', "also = 1.2", r"also = 1.2 must be in \[0, 1\]"),
    ],
)
def test_impossible_ones_are_refused(data: str, scenes: str, said: str, tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path, words='["low tone"]')
    text = recipe.read_text(encoding="utf-8").replace("[data]", f"[data]\n{data}")
    recipe.write_text(text.replace("[scenes]", f"[scenes]\n{scenes}"), encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        read_recipe(recipe)
