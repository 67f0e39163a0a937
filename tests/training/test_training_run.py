"""A whole training run, small but real: resumed, mined, exported, calibrated, written."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import cli_command, cli_environment
from run_notes import Notes, averaged_weights
from tone_recipe import write_tone_recipe

from wakeword.errors import ManifestError, RecipeError, TrainingError
from wakeword.runtime import Bundle
from wakeword.training.export import check_parity
from wakeword.training.finish import finish
from wakeword.training.run import TrainingRun
from wakeword.training.shards import ShardPlan, make_shard, shards


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A run that went through without a break."""
    folder = tmp_path_factory.mktemp("tones")
    run = TrainingRun(write_tone_recipe(folder), folder / "runs" / "whole", 0, Notes())
    run.run()
    return run


def test_a_run_that_was_interrupted_ends_with_the_same_weights(
    trained: TrainingRun, tmp_path: Path
) -> None:
    recipe, folder = write_tone_recipe(tmp_path), tmp_path / "runs" / "broken"
    for stop_after in ("round 1/4", "round 3/4"):
        with pytest.raises(KeyboardInterrupt):
            TrainingRun(recipe, folder, 0, Notes(stop_after)).run()
    notes = Notes()
    resumed = TrainingRun(recipe, folder, 0, notes)
    resumed.run()
    assert "resuming after round 2" in notes.notes
    assert resumed.trainer.round == 4
    assert len(resumed.trainer.log) == 4
    assert np.array_equal(averaged_weights(resumed), averaged_weights(trained))


def test_a_finished_run_is_not_trained_again(trained: TrainingRun) -> None:
    folder = trained.paths.folder
    again = TrainingRun(folder.parent.parent / "recipe.toml", folder, 0, Notes())
    again.run()
    assert np.array_equal(averaged_weights(again), averaged_weights(trained))


def test_shards_do_not_depend_on_the_number_of_workers(trained: TrainingRun) -> None:
    r = trained.recipe
    plan = ShardPlan(trained.sources, r.scenes, r.features, r.frontend, 5, 16)
    alone = [make_shard(plan, number) for number in range(2)]
    for made, wanted in zip(shards(plan, 0, 2, workers=2), alone, strict=True):
        assert np.array_equal(made.features, wanted.features)
        assert np.array_equal(made.label, wanted.label)
        assert np.array_equal(made.end, wanted.end)


def test_the_bundle_is_complete_and_runs(trained: TrainingRun, tmp_path: Path) -> None:
    written = finish(trained, tmp_path / "tones", Notes().stage)
    bundle = Bundle.load(written.path)
    assert bundle.words == ("low tone", "high tone")
    assert {d.corpus for d in bundle.metadata.training.data} == {"clips", "talk", "hum"}
    assert bundle.metadata.training.recipe["training"]["rounds"] == 4
    for word in bundle.words:
        assert bundle.operating_points(word).targets == (0.1, 0.5, 1.0, 2.0)
        assert bundle.operating_point(word).clips == 4
    assert "What it is not good at" in bundle.card
    assert "CC0" in bundle.card and "- Tones of the tests, made louder." in bundle.card
    figures = {p.name for p in (written.path / "figures").iterdir()}
    assert figures == {"all-words.png", "low-tone.png", "high-tone.png", "training.png"}
    recipe = trained.paths.folder.parent.parent / "recipe.toml"
    assert (written.path / "recipe.toml").read_text() == recipe.read_text()


def test_a_checkpoint_of_another_recipe_is_refused_and_kept(
    trained: TrainingRun, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "other"
    shutil.copytree(trained.paths.folder, run)
    before = (run / "checkpoint.pt").read_bytes()
    recipe = write_tone_recipe(tmp_path, rounds=5)
    with pytest.raises(TrainingError, match="another recipe"):
        TrainingRun(recipe, run, 0, Notes()).run()
    assert (run / "checkpoint.pt").read_bytes() == before


def test_a_damaged_checkpoint_is_an_error_not_a_new_start(
    trained: TrainingRun, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "damaged"
    shutil.copytree(trained.paths.folder, run)
    data = (run / "checkpoint.pt").read_bytes()
    (run / "checkpoint.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(TrainingError, match="cannot be read"):
        TrainingRun(write_tone_recipe(tmp_path), run, 0, Notes()).run()


def test_export_of_another_network_is_refused(trained: TrainingRun) -> None:
    bundle = trained.bundle()
    other = TrainingRun(
        trained.paths.folder.parent.parent / "recipe.toml", trained.paths.folder, 0, Notes()
    )
    with torch.no_grad():
        next(other.trainer.average.parameters()).add_(0.5)
    with pytest.raises(TrainingError, match="export refused"):
        check_parity(other.trainer.average, bundle)
    assert check_parity(trained.trainer.average, bundle) < 1e-4


def test_a_corpus_without_a_licence_is_refused(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path, licences='{ clips = "CC0", hum = "CC0" }')
    with pytest.raises(RecipeError, match="talk"):
        TrainingRun(recipe, tmp_path / "run", 0, Notes())


def test_recordings_that_a_recipe_excludes_are_not_read(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    text = recipe.read_text()
    recipe.write_text(text.replace("[data]", '[data]\nexclude_recordings = ["train-low-[23].wav"]'))
    run = TrainingRun(recipe, tmp_path / "run", 0, Notes())
    names = {r.path.name for r in run.sources.corpus.recordings}
    assert "train-low-1.wav" in names and not names & {"train-low-2.wav", "train-low-3.wav"}
    recipe.write_text(text.replace("[data]", '[data]\nexclude_recordings = ["nowhere/*.wav"]'))
    with pytest.raises(RecipeError, match=r"nowhere/\*\.wav"):
        TrainingRun(recipe, tmp_path / "run2", 0, Notes())


def test_a_word_without_recordings_is_refused(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path, words='["low tone", "middle tone"]')
    with pytest.raises(ManifestError, match="middle tone"):
        TrainingRun(recipe, tmp_path / "run", 0, Notes())


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    (tmp_path / "train-low-2.wav").unlink()
    with pytest.raises(ManifestError, match="train-low-2"):
        TrainingRun(recipe, tmp_path / "run", 0, Notes())


def test_workers_end_with_a_killed_run(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path, rounds=200, scenes_per_round=64)
    command = cli_command("train", recipe, "--run", tmp_path / "run", "--workers", "1")
    process = subprocess.Popen(command, env=cli_environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "round 1/" in line:
            break
    (worker,) = _children(process.pid)
    process.kill()
    process.wait(30)
    process.stderr.close()
    deadline = time.monotonic() + 30
    while _exists(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _exists(worker)


def _children(pid: int) -> list[int]:
    """Child processes, by Linux's own list."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        pytest.skip("this system does not list the children of a process")
    return [int(child) for child in path.read_text().split()]


def _exists(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"
