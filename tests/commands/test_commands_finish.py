"""A command set becomes a bundle that listens; and the benchmark of several seeds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_corpus import tone
from commands_recipe import write_commands_recipe
from inprocess import run
from processes import cli_environment
from run_notes import Notes
from tone_manifest import write_wav

from wakeword.runtime import Bundle
from wakeword.training.finish import finish
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.trials import TrialConfig, Trials

SHORT = ("rounds = 4\nscenes_per_round = 64", "rounds = 2\nscenes_per_round = 64")


def test_it_is_calibrated_and_listens(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = TrainingRun(write_commands_recipe(tmp_path), tmp_path / "run", 0, Notes())
    made.run()
    bundle = finish(made, tmp_path / "model", Notes().stage)
    for word, clips in (("low", 12), ("high", 8)):
        assert bundle.operating_point(word).clips == clips
        assert bundle.operating_point(word).hours > 0.0
    assert "training.png" in {p.name for p in (bundle.path / "figures").iterdir()}

    silence = np.zeros(16_000, np.float32)
    said = np.concatenate([silence, tone("low", 40), silence, tone("high", 41), silence])
    write_wav(tmp_path / "said.wav", said)
    done = run(capsys, "detect", tmp_path / "said.wav", "--model", bundle.path, "--threshold",
               "0.5", "--json")  # fmt: skip
    assert [r["keyword"] for r in done.records] == ["low", "high"], done.err


def test_another_word_of_the_set_is_no_false_alarm(tmp_path: Path) -> None:
    recipe = write_commands_recipe(tmp_path, *SHORT)
    made = TrainingRun(recipe, tmp_path / "run", 0, Notes())
    bundle = made.bundle()
    config = TrialConfig(frozenset({"hum"}))
    trials = Trials.of_bundles([bundle], made.manifest, config)
    unsure = {r.text: trials.label(r).unsure for r in trials.recordings}
    assert unsure == {
        "low": {"high"}, "high": {"low"}, "middle": set(), "other": set(), "hum": set(),
        "a sentence without them": set(), "this is low": {"low"},
    }  # fmt: skip
    assert [r.text for r in trials.left_out()] == ["this is low"]
    of_words = Trials(made.manifest, bundle.words, {"clips", "talk", "hum"}, config)
    assert not any(of_words.label(r).unsure for r in of_words.recordings if r.text == "low")


def test_several_seeds_and_another_network(repository: Path, tmp_path: Path) -> None:
    recipe = write_commands_recipe(tmp_path, *SHORT)
    command = [sys.executable, repository / "benchmarks" / "commands.py", "--recipe", recipe,
               "--manifest", tmp_path / "manifest.csv", "--split", "dev", "--workers", "1",
               "--rounds", "1", "--out", tmp_path / "out", "--networks", "crnn", "dnn-s",
               "--seeds", "1", "2"]  # fmt: skip
    done = subprocess.run([*map(str, command)], capture_output=True, text=True,
                          env=cli_environment(), timeout=250)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mean of 2" in done.stdout and "dnn-s, mean of 2 runs" in done.stdout
    values = json.loads((tmp_path / "out" / "report" / "commands.json").read_text("utf-8"))
    runs = [(r["model"], r["seed"]) for r in values["accuracy"]]
    assert runs == [(n, s) for n in ("crnn", "dnn-s") for s in (1, 2, "mean of 2")]
    derived = Bundle.load(tmp_path / "out" / "runs" / "dnn-s-2" / "bundle")
    assert derived.metadata.frontend.f_max_hz == 4000.0
    assert derived.metadata.window_frames == 25 and derived.metadata.training.seed == 2


def test_the_recipe_beside_the_repository(repository: Path) -> None:
    recipe = read_recipe(repository / "benchmarks" / "recipes" / "commands-tc-resnet8.toml")
    assert recipe.labels == ("background", *recipe.bundle.words, "unknown")
    assert len(recipe.bundle.words) == 7 and recipe.windows.frames == 98


def test_the_example_of_the_page_is_the_12_class_task(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "commands.md").read_text("utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "recipe.toml").write_text(text, "utf-8")
    recipe = read_recipe(tmp_path / "recipe.toml")
    t = recipe.training
    assert recipe.commands is not None and len(recipe.commands.classes(recipe.bundle.words)) == 12
    assert t.rounds * (t.scenes_per_round * t.windows_per_scene // t.batch) == 29_430
    assert [t.learning_rate_at(s) for s in (0.0, 0.4, 0.9)] == pytest.approx([0.1, 0.01, 0.001])
