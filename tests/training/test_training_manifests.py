"""Recipes with several manifests: all are trained on, the first alone is measured on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from bundles import with_bursts
from run_notes import Notes
from tone_manifest import LOW, ToneManifest
from tone_recipe import write_tone_recipe

from wakeword.data.manifest import join_manifests, read_manifest
from wakeword.errors import ManifestError, RecipeError
from wakeword.training.checkpoint import recipe_key
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun


def robots(folder: Path, speaker: str = "robot", split: str = "train") -> Path:
    """A second manifest: three clips of a word, and one of the split dev."""
    made = ToneManifest(folder, [])
    clip = 0.1 * with_bursts(1.5, [(0.5, LOW)], noise=0.002)
    for i in range(3):
        made.add(f"robot-{i}", clip, LOW, "robots", "train", "robot")
    made.add("robot-dev", clip, LOW, "robots", "dev", "other robot")
    made.add("robot-last", clip, LOW, "robots", split, speaker)
    return made.save()


def with_more(folder: Path, licence: str = 'robots = "CC0", ') -> Path:
    robots(folder / "synthetic")
    recipe = write_tone_recipe(folder)
    text = recipe.read_text()
    text = text.replace("licences = { ", f"licences = {{ {licence}")
    text = text.replace("[data]", '[data]\nmore_manifests = ["synthetic/manifest.csv"]')
    recipe.write_text(text)
    return recipe


def test_more_manifests_are_trained_on_but_not_measured_on(tmp_path: Path) -> None:
    run = TrainingRun(with_more(tmp_path), tmp_path / "runs" / "r", 0, Notes())
    trained = [r for r in run.sources.corpus.recordings if r.corpus == "robots"]
    assert [r.path.stem for r in trained] == ["robot-0", "robot-1", "robot-2", "robot-last"]
    assert len(run.sources.words[0]) == 6 + 4
    assert not [r for r in run.manifest if r.corpus == "robots"]
    alone = read_manifest(tmp_path / "manifest.csv").sha256
    assert run.manifest.sha256 == alone
    assert run.key == recipe_key(run.recipe, run.trained_on.sha256)
    assert run.trained_on.sha256 != alone


def test_every_corpus_of_every_manifest_needs_a_licence(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing of the corpora robots"):
        TrainingRun(with_more(tmp_path, licence=""), tmp_path / "run", 0, Notes())


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    recipe = with_more(tmp_path)
    recipe.write_text(recipe.read_text().replace("synthetic/man", "nowhere/man"))
    with pytest.raises(ManifestError, match="nowhere"):
        TrainingRun(recipe, tmp_path / "run", 0, Notes())


def test_nobody_is_in_two_splits_of_two_manifests(tmp_path: Path) -> None:
    first = read_manifest(robots(tmp_path / "a"))
    for folder, (speaker, split) in {"b": ("robot", "train"), "c": ("new", "dev")}.items():
        second = read_manifest(robots(tmp_path / folder, speaker, split))
        joined = join_manifests(first, [second])
        assert len(joined) == 10 and joined.recordings[:5] == first.recordings
    moved = [replace(r, split="test") for r in first if r.speaker == "robot"]
    with pytest.raises(ManifestError, match="robot"):
        join_manifests(first, [replace(second, recordings=tuple(moved))])


def test_one_manifest_alone_is_as_it_was(tmp_path: Path) -> None:
    only = read_manifest(robots(tmp_path / "a"))
    assert join_manifests(only, []) is only


LATER = {
    "data": ["more_manifests", "also_words"],
    "scenes": [
        *("telephone", "telephone_others", "uneven", "drawn", "stress_db"),
        *("spliced", "knocks", "ended", "also"),
    ],
    "features": ["bend"],
    "training": [
        *("checkpoint_rounds", "start", "blend"),
        *("optimizer", "momentum", "teachers", "taught", "taught_of", "precision"),
    ],
}
"""Keys that recipes did not always have, or that do not shape training."""


def test_a_recipe_without_more_manifests_keeps_its_checkpoints(tmp_path: Path) -> None:
    """The key of a run must not change because recipes can say more than they could."""
    recipe = read_recipe(write_tone_recipe(tmp_path))
    more = replace(recipe, data=replace(recipe.data, more_manifests=("other.csv",)))
    assert recipe_key(recipe, "sha") != recipe_key(more, "sha")
    table = recipe.to_dict()
    table["bundle"] = {"words": table["bundle"]["words"]}
    for section, keys in LATER.items():
        for key in keys:
            del table[section][key]
    del table["detection"], table["commands"]
    before = hashlib.sha256(json.dumps([table, "sha"], sort_keys=True).encode()).hexdigest()
    assert recipe_key(recipe, "sha") == before
