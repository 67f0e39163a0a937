"""Networks that learn what others make of a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from bundles import load_tiny_bundle, windows_of_tones
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.errors import RecipeError
from wakeword.networks import build
from wakeword.runtime.session import Session
from wakeword.training.export import export_onnx
from wakeword.training.recipe import TrainingSection, read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.teachers import Teachers

SMALL = {"filters": 3, "kernel": [7, 5], "recurrent_units": 5, "hidden": 6}


@pytest.mark.parametrize("taught_of", ["all", "words"])
def test_targets_are_the_mean_of_the_teachers_and_the_truth(
    tmp_path: Path, taught_of: Literal["all", "words"]
) -> None:
    """Asked of words alone, teachers have no say where the label is background."""
    first = load_tiny_bundle(tmp_path)
    torch.manual_seed(3)
    second = replace(first, model=export_onnx(build("crnn", SMALL, 151, 40, 3), 151, 40))
    m = first.metadata
    teachers = Teachers([first, second], m.labels, m.window_frames, m.frontend)
    windows = np.random.default_rng(1).normal(0.5, 0.4, (4, 151, 40)).astype(np.float32)
    mean = (Session(first).run(windows) + Session(second).run(windows)) / 2
    labels = torch.tensor([0, 1, 2, 1])
    training = TrainingSection(teachers=("a", "b"), taught=0.75, taught_of=taught_of)
    found = teachers.targets(torch.from_numpy(windows), labels, training).numpy()
    wanted = 0.25 * np.eye(3)[labels] + 0.75 * mean
    if taught_of == "words":
        wanted[0] = (1.0, 0.0, 0.0)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-5)


def test_a_teacher_hears_through_its_own_offset_and_root(tmp_path: Path) -> None:
    bundle = load_tiny_bundle(tmp_path)
    m = bundle.metadata
    frontend = replace(m.frontend, pcen=replace(m.frontend.pcen, delta=0.5, r=0.25))
    own, other = windows_of_tones(m.frontend), windows_of_tones(frontend)
    training, labels = TrainingSection(teachers=("a",), taught=1.0), torch.tensor([0, 1, 2, 1])
    teachers = Teachers([bundle], m.labels, m.window_frames, frontend)
    found = teachers.targets(torch.from_numpy(other), labels, training).numpy()
    np.testing.assert_allclose(found, Session(bundle).run(own), atol=1e-3)
    assert np.abs(Session(bundle).run(other) - found).max() > 0.01


@pytest.mark.parametrize("kind", ["pcen", "logmel"])
def test_one_who_hears_pcen_teaches_one_who_hears_log_mel(
    tmp_path: Path, kind: Literal["pcen", "logmel"]
) -> None:
    """And the other way round: windows hold what both hear."""
    bundle = load_tiny_bundle(tmp_path)
    m = bundle.metadata
    other = replace(m.frontend, kind="logmel")
    own, taught_by = (m.frontend, other) if kind == "pcen" else (other, m.frontend)
    bundle = replace(bundle, metadata=replace(m, frontend=taught_by))
    teachers = Teachers([bundle], m.labels, m.window_frames, own)
    assert teachers.heard == replace(m.frontend, kind="pcen+logmel")
    windows = torch.from_numpy(windows_of_tones(teachers.heard))
    assert (teachers.own(windows).numpy() == windows_of_tones(own)).all()
    training, labels = TrainingSection(teachers=("a",), taught=1.0), torch.tensor([0, 1, 2, 1])
    found = teachers.targets(windows, labels, training).numpy()
    np.testing.assert_allclose(found, Session(bundle).run(windows_of_tones(taught_by)), atol=1e-6)


def test_a_run_that_hears_log_mel_is_taught_by_one_that_hears_pcen(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    recipe = write_tone_recipe(tmp_path)
    text = recipe.read_text(encoding="utf-8")
    lines = f"[training]\nteachers = ['{tiny_bundle.as_posix()}']\ntaught = 0.5\n"
    text = text.replace("[training]\n", f"[frontend]\nkind = 'logmel'\n\n{lines}")
    recipe.write_text(text, encoding="utf-8")
    run = TrainingRun(recipe, tmp_path / "run", 0, Notes(), tmp_path / "kept")
    run.run()
    assert run.bundle().metadata.frontend.kind == "logmel"
    (shard,) = (tmp_path / "kept").rglob("shard-0000.npz")
    with np.load(shard) as stored:
        assert stored["features"].shape[2] == 80


def test_a_network_taught_alone_comes_to_say_what_its_teacher_says(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    """All of what is wanted is the teacher's word: the distance to it falls."""
    recipe = write_tone_recipe(tmp_path)
    text = recipe.read_text(encoding="utf-8")
    lines = f"[training]\nteachers = ['{tiny_bundle.as_posix()}']\ntaught = 1.0\n"
    recipe.write_text(text.replace("[training]\n", lines), encoding="utf-8")
    notes = Notes()
    run = TrainingRun(recipe, tmp_path / "run", 0, notes)
    assert any("taught by tiny" in note for note in notes.notes)
    run.run()
    losses = [entry["loss"] for entry in run.trainer.log]
    assert losses[-1] < 0.9 * losses[0]


def test_a_teacher_of_something_else_is_refused(tmp_path: Path) -> None:
    bundle = load_tiny_bundle(tmp_path)
    m = bundle.metadata
    with pytest.raises(RecipeError, match=r"'tiny' has window_frames 151, .* has 150"):
        Teachers([bundle], m.labels, 150, m.frontend)
    with pytest.raises(RecipeError, match=r"'tiny' has labels .*low tone.* has .*other"):
        Teachers([bundle], ("background", "other"), m.window_frames, m.frontend)
    with pytest.raises(RecipeError, match=r"'tiny' has frontend"):
        Teachers([bundle], m.labels, m.window_frames, replace(m.frontend, kind="mfcc"))
    with pytest.raises(RecipeError, match=r"'tiny' has frontend .*n_mels=40.* has .*n_mels=32"):
        Teachers([bundle], m.labels, 151, replace(m.frontend, kind="logmel", n_mels=32, n_mfcc=32))
    slower = replace(m.frontend, pcen=replace(m.frontend.pcen, s=0.01))
    with pytest.raises(RecipeError, match=r"'tiny' has frontend .*s=0.025.* has .*s=0.01"):
        Teachers([bundle], m.labels, m.window_frames, slower)


@pytest.mark.parametrize(
    "lines",
    [
        "taught = 0.5",
        "taught_of = 'words'",
        "teachers = ['x']",
        "teachers = ['x']\ntaught = 1.5",
        "teachers = ['x']\ntaught = nan",
    ],
)
def test_impossible_shares_are_refused(lines: str, tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(text.replace("[training]\n", f"[training]\n{lines}\n"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"training\.taught"):
        read_recipe(recipe)
