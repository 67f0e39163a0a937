"""A recipe that names a network of a paper and no more: its front end, its window, a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.errors import RecipeError
from wakeword.frontend import preset
from wakeword.networks import NETWORKS, build
from wakeword.training.loop import Trainer
from wakeword.training.recipe import TrainingSection, read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.windows import SceneArrays, WindowConfig


def tone_recipe(folder: Path, family: str, more: str = "", **changes: object) -> Path:
    recipe = write_tone_recipe(folder, family=f'"{family}"', parameters="{}", **changes)
    recipe.write_text(more + recipe.read_text("utf-8"), encoding="utf-8")
    return recipe


def test_the_front_end_and_the_window_are_those_of_the_network(tmp_path: Path) -> None:
    recipe = read_recipe(tone_recipe(tmp_path, "ds-cnn-s"))
    assert recipe.frontend == preset("mfcc-40-20")
    w, usual = recipe.windows, WindowConfig()
    assert (w.frames, w.latest_after_end, w.time_mask_frames) == (49, 32, 7)
    assert w.earliest_after_end == 2 and w.channel_mask_width == 1
    assert (w.parts, w.masked) == (usual.parts, usual.masked)


def test_what_a_recipe_says_itself_stays(tmp_path: Path) -> None:
    windows = "[windows]\nframes = 70\nmasked = 0.25\n"
    recipe = read_recipe(tone_recipe(tmp_path, "tc-resnet8", windows))
    assert recipe.windows.frames == 70 and recipe.windows.masked == 0.25
    assert recipe.frontend == preset("mfcc-30-10")
    own = read_recipe(tone_recipe(tmp_path, "tc-resnet8", '[frontend]\nkind = "logmel"\n'))
    assert own.frontend == preset("logmel-40") and own.windows == WindowConfig()


@pytest.mark.parametrize("family", ["crnn", "tc-resnet"])
def test_families_without_a_paper_have_the_usual_front_end(family: str, tmp_path: Path) -> None:
    recipe = read_recipe(tone_recipe(tmp_path, family))
    assert recipe.frontend == preset("pcen-40") and recipe.windows == WindowConfig()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_named(name: str, tmp_path: Path) -> None:
    assert read_recipe(tone_recipe(tmp_path, name)).windows.frames == NETWORKS[name].frames


def test_a_front_end_that_does_not_match_is_refused_before_audio_is_read(tmp_path: Path) -> None:
    recipe = tone_recipe(tmp_path, "cnn-1", "[frontend]\nn_mels = 8\nn_mfcc = 8\n")
    notes = Notes()
    with pytest.raises(RecipeError, match="does not go with windows of 151 frames by 8 chan"):
        TrainingRun(recipe, tmp_path / "run", 0, notes)
    assert not (tmp_path / "run").exists()


def test_a_run_with_another_network_ends_in_a_bundle_that_agrees(tmp_path: Path) -> None:
    recipe = tone_recipe(
        tmp_path, "tc-resnet8", mine_after_rounds="[]", rounds=1, scenes_per_round=16
    )
    run = TrainingRun(recipe, tmp_path / "run", 0, Notes())
    run.run()
    bundle = run.bundle()
    assert bundle.metadata.frontend == preset("mfcc-30-10")
    assert bundle.metadata.window_frames == 98


def test_batch_norm_is_averaged_with_the_weights() -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    training = TrainingSection(rounds=2, batch=8, average=0.5, windows_per_scene=1)
    windows = WindowConfig(frames=98, latest_after_end=65)
    trainer = Trainer(build("tc-resnet8", {}, 98, 40, 2), training, windows)
    rng = torch.Generator().manual_seed(1)
    scenes = SceneArrays(
        (5.0 * torch.randn(16, 120, 40, generator=rng) - 60.0).numpy().astype("float16"),
        *(torch.zeros(16, dtype=torch.int64).numpy() for _ in range(3)),
    )
    trainer.train_round(scenes)
    now, mean = trainer.model.state_dict(), trainer.average.state_dict()
    for name, value in now.items():
        if "num_batches" in name:
            assert torch.equal(mean[name], value)
        elif "running_mean" in name:
            assert torch.linalg.norm(mean[name] - value) < torch.linalg.norm(value), name
