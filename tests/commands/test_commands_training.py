"""A command set is trained by the same run: resumed, watched, exported, streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from commands_recipe import write_commands_recipe
from run_notes import Notes, averaged_weights

from wakeword.data.commands.maker import CommandMaker
from wakeword.errors import RecipeError
from wakeword.frontend import Frontend
from wakeword.runtime.engine import Engine
from wakeword.runtime.session import Session
from wakeword.training.commands.bundles import commands_of
from wakeword.training.material import plan_of
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.shards import shards
from wakeword.training.start import learnt_labels


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("commands")
    run = TrainingRun(write_commands_recipe(folder), folder / "runs" / "whole", 0, Notes())
    run.run()
    return run


def test_a_broken_run_ends_with_the_same_weights(trained: TrainingRun, tmp_path: Path) -> None:
    recipe = write_commands_recipe(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        TrainingRun(recipe, tmp_path / "runs" / "broken", 0, Notes("round 3/4")).run()
    notes = Notes()
    resumed = TrainingRun(recipe, tmp_path / "runs" / "broken", 0, notes)
    resumed.run()
    assert "resuming after round 2" in notes.notes
    assert np.array_equal(averaged_weights(resumed), averaged_weights(trained))


def test_it_learns_and_is_watched(trained: TrainingRun) -> None:
    right = [entry["accuracy"] for entry in trained.trainer.log]
    assert len(right) == 4 and right[-1] > 0.8
    notes = trained.reporter.notes
    assert notes[-1] == f"dev clips right: {100 * right[-1]:.2f} %"


def test_shards_do_not_depend_on_their_size_or_on_workers(trained: TrainingRun) -> None:
    plan = plan_of(trained.recipe, trained.sources)
    alone = [plan.make(number) for number in range(2)]
    for made, wanted in zip(shards(plan, 0, 2, workers=2), alone, strict=True):
        assert np.array_equal(made.features, wanted.features)
        assert np.array_equal(made.label, wanted.label)
    maker = CommandMaker(trained.sources, trained.recipe.commands, 1)
    assert [maker.clip(k).label for k in range(64, 128)] == alone[1].label.tolist()


def test_training_hears_what_the_front_end_gives(trained: TrainingRun) -> None:
    plan = plan_of(trained.recipe, trained.sources)
    maker = CommandMaker(trained.sources, trained.recipe.commands, 1)
    front = Frontend(trained.recipe.frontend)
    made = plan.make(0)
    for number in (0, 7, 40):
        samples = maker.clip(number).samples[None].astype(np.float32)
        expected, _ = front.process(samples, front.initial_state())
        assert np.abs(made.features[number] - expected[0]).max() < 0.02  # float16


def test_the_bundle_merges_unknown_and_hears_clips_in_a_stream(trained: TrainingRun) -> None:
    bundle = trained.bundle()
    config = commands_of(bundle)
    assert config == trained.recipe.commands
    assert bundle.metadata.labels == ("background", "low", "high")
    assert learnt_labels(bundle) == ("background", "low", "high", "unknown")
    assert trained.watch is not None
    features = trained.watch.features
    with torch.no_grad():
        every = torch.softmax(trained.trainer.average.eval()(torch.from_numpy(features)), 1).numpy()
    merged = Session(bundle).run(features)
    assert merged[:, 0] == pytest.approx(every[:, 0] + every[:, 3], abs=1e-5)
    assert merged[:, 1:] == pytest.approx(every[:, 1:3], abs=1e-5)

    engine = Engine(bundle)
    stream = engine.open_stream(16_000)
    maker = CommandMaker(trained.sources, trained.recipe.commands, 1)
    clip = next(s for s in map(maker.clip, range(99)) if s.label == 1)
    stream.accept(clip.samples)
    last = [r.posteriors for r in engine.step([stream])][-1]
    front = Frontend(bundle.metadata.frontend)
    window, _ = front.process(clip.samples[None], front.initial_state())
    assert last == pytest.approx(Session(bundle).run(window)[0, 1:], abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("frames = 98", "frames = 151", "windows.frames = 151, but a clip"),
        ("silence = 0.5", "silence = 2.0", "commands.silence = 2.0"),
        ("silence = 0.5", "silent = 0.5", "unknown key 'silent'"),
        ("rounds = 4", "rounds = 4\nmine_after_rounds = [2]", "a command set has none"),
        ("rounds = 4", 'rounds = 4\ntaught_of = "words"', "it must be 'all'"),
        ("[data]", '[data]\nalso_words = ["other"]', "a command set has none"),
        ('"high"]', '"unknown"]', "all different"),
        ('"high"]', '"silence"]', "silence"),
        ("rounds = 4", 'rounds = 4\noptimizer = "lbfgs"', "adam, sgd"),
        ("rounds = 4", "rounds = 4\nmomentum = 1.0", "momentum = 1.0"),
    ],
)
def test_wrong_recipes_say_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_recipe(write_commands_recipe(tmp_path, old, new))
    assert says in str(caught.value)


def test_sgd_in_three_steps(tmp_path: Path) -> None:
    path = write_commands_recipe(tmp_path, 'schedule = "cosine"', 'schedule = "steps"\n'
                                 'optimizer = "sgd"\nweight_decay = 1e-3')  # fmt: skip
    training = read_recipe(path).training
    rates = [training.learning_rate_at(share) for share in (0.0, 0.33, 0.34, 0.66, 0.67, 1.0)]
    middle = float(np.sqrt(1e-2 * 1e-3))
    assert rates == pytest.approx([1e-2, 1e-2, middle, middle, 1e-3, 1e-3])
    run = TrainingRun(path, tmp_path / "runs" / "sgd", 0, Notes())
    run.run()
    assert isinstance(run.trainer.optimizer, torch.optim.SGD)
    assert run.trainer.optimizer.param_groups[0]["momentum"] == 0.9
    assert run.trainer.log[-1]["loss"] < run.trainer.log[0]["loss"]
