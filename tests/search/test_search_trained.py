"""``wakeword search RECIPE``: candidates are trained, and the best one's recipe is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands_recipe import write_commands_recipe
from inprocess import run
from tone_recipe import write_tone_recipe

from wakeword.networks import BUDGETS
from wakeword.training.recipe import read_recipe

Capture = pytest.CaptureFixture[str]


def test_candidates_are_trained_and_the_best_can_be_trained_on(
    capsys: Capture, tmp_path: Path
) -> None:
    recipe = write_commands_recipe(tmp_path, "scenes_per_round = 64", "scenes_per_round = 16")
    out = tmp_path / "found"
    arguments = ["search", recipe, "--family", "dnn", "--rounds", "1", "--tries", "1",
                 "--keep", "1", "--workers", "0", "--out", out, "--json"]  # fmt: skip
    done = run(capsys, *arguments)
    assert done.code == 0, done.err
    accuracies = [record["accuracy"] for record in done.records]
    assert len(accuracies) >= 2 and accuracies == sorted(accuracies, reverse=True)
    assert all(0.0 <= a <= 1.0 for a in accuracies)
    assert all(r["memory_bytes"] <= BUDGETS["small"].memory_bytes for r in done.records)
    best, original = read_recipe(out / "best.toml"), read_recipe(recipe)
    assert best.network.parameters == done.records[0]["network_parameters"]
    assert best.windows.frames == done.records[0]["frames"]
    assert best.frontend.f_max_hz == original.frontend.f_max_hz
    assert best.training == original.training and best.commands == original.commands
    kept = json.loads((out / "search.json").read_text("utf-8"))["rows"]
    assert [r["accuracy"] for r in kept[: len(accuracies)]] == accuracies
    again = run(capsys, *arguments)
    assert again.out == done.out  # nothing is trained twice
    other = run(capsys, *arguments[:-1], "--rounds", "2")
    assert other.code == 2 and "another search (rounds differ)" in other.err


def test_only_command_sets_are_scored(capsys: Capture, tmp_path: Path) -> None:
    done = run(capsys, "search", write_tone_recipe(tmp_path), "--out", tmp_path / "no")
    assert done.code == 2 and "has no [commands]" in done.err


def test_labels_are_those_of_the_recipe(capsys: Capture, tmp_path: Path) -> None:
    recipe = write_commands_recipe(tmp_path)
    done = run(capsys, "search", recipe, "--labels", "9", "--out", tmp_path / "no")
    assert done.code == 2 and "--labels 9, but the recipe has 4" in done.err
