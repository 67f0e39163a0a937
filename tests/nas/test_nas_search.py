"""A search on real clips: resumed as if it had not been stopped, halves, journal, refusals."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command_corpus import command_corpus
from inprocess import run
from nas_recipe import write_nas_recipe
from run_notes import Notes

from wakeword.data.commands.clips import collect_commands
from wakeword.data.commands.protocol import CommandsConfig
from wakeword.data.sources import Kinds, Sources
from wakeword.errors import ConfigError, ManifestError, TrainingError
from wakeword.networks.nas.cells import Stack
from wakeword.networks.nas.genotype import read_genotype
from wakeword.networks.nas.supernet import Space
from wakeword.training.nas.halves import halves
from wakeword.training.nas.run import SearchRun
from wakeword.training.nas.schedule import Schedule
from wakeword.training.recipe import read_recipe

Capture = pytest.CaptureFixture[str]
PNG = b"\x89PNG\r\n"
SPACE = Space("nas1", (3,), Stack(3, 2))
SCHEDULE = Schedule(epochs=3, scenes_per_epoch=16, batch=8, architecture_rate=0.05)


def search(
    recipe: Path, folder: Path, notes: Notes, schedule: Schedule = SCHEDULE
) -> SearchRun:
    made = SearchRun(recipe, folder, SPACE, schedule, 0, notes)
    made.run()
    return made


@pytest.mark.parametrize("second", [False, True])
def test_a_broken_search_finds_the_same_cells(tmp_path: Path, second: bool) -> None:
    recipe = write_nas_recipe(tmp_path)
    schedule = replace(SCHEDULE, second_order=second, epochs=3 - second)
    whole = search(recipe, tmp_path / "runs" / "whole", Notes(), schedule)
    with pytest.raises(KeyboardInterrupt):
        search(recipe, tmp_path / "runs" / "broken", Notes("epoch 1/"), schedule)
    notes = Notes()
    resumed = search(recipe, tmp_path / "runs" / "broken", notes, schedule)
    assert "resuming after epoch 1" in notes.notes
    assert resumed.found().genotype == whole.found().genotype
    assert resumed.found().epochs == whole.found().epochs
    for one, other in zip(resumed.shares, whole.shares, strict=True):
        assert torch.equal(one.normal, other.normal)
    moved = whole.shares[-1].normal - whole.shares[0].normal
    assert float(moved.abs().max()) > 0.01  # the architecture learns


def test_the_command_leaves_genotype_journal_pictures_and_a_recipe(
    capsys: Capture, tmp_path: Path
) -> None:
    recipe, out = write_nas_recipe(tmp_path), tmp_path / "found"
    arguments = ["nas", recipe, "--epochs", "2", "--scenes", "16", "--batch", "8", "--channels",
                 "2", "--cells", "3", "--kernel", "3", "--workers", "0", "--run", out,
                 "--json"]  # fmt: skip
    done = run(capsys, *arguments)
    assert done.code == 0, done.err
    genotype = read_genotype(out / "genotype.json")
    assert json.loads(done.out) == genotype.to_dict()
    kept = json.loads((out / "search.json").read_text("utf-8"))
    assert kept["epochs"][kept["best_epoch"] - 1]["genotype"] == genotype.to_dict()
    edge = kept["epochs"][0]["shares"]["normal"][0]
    assert sum(edge[name] for name in kept["operations"]) == pytest.approx(1.0, abs=1e-4)
    with (out / "search.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(r["epoch"]) for r in rows] == [1, 2]
    # Almost even shares of six operations, as they were drawn.
    assert float(rows[0]["normal_entropy"]) == pytest.approx(np.log(6), abs=1e-3)
    for picture in ("cells.png", "search.png"):
        assert (out / picture).read_bytes().startswith(PNG)
    ready = read_recipe(out / "found.toml")
    assert ready.network.parameters == {
        "cells": 3, "channels": 2, "genotype": genotype.to_dict()
    }  # fmt: skip
    assert ready.training == read_recipe(recipe).training
    again = run(capsys, *arguments)
    assert again.out == done.out and "epoch 2/2" not in again.err
    other = run(capsys, *arguments, "--seed", "2")
    assert other.code == 2 and "start again with --restart" in other.err


@pytest.mark.parametrize(("arguments", "says"), [
    (["--cells", "0"], "cells"), (["--operations", "nas3"], "nas1"), (["--kernel", "4"], "kernel"),
    (["--learning-rate", "0"], "learning-rate"), (["--batch", "1"], "batch"),
    (["--cells", "18", "--channels", "2"], "need at least 64 frames and channels, not 25 by 10"),
])  # fmt: skip
def test_impossible_searches_are_refused(
    capsys: Capture, tmp_path: Path, arguments: list[str], says: str
) -> None:
    recipe = write_nas_recipe(tmp_path)
    done = run(capsys, "nas", recipe, *arguments, "--run", tmp_path / "no")
    assert done.code == 2 and says in done.err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("change", [
    {"epochs": 0}, {"batch": 1}, {"momentum": 1.0}, {"learning_rate": 0.0},
    {"architecture_rate": 2.0}, {"scenes_per_epoch": -1},
])  # fmt: skip
def test_an_impossible_schedule_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        Schedule(**change)


def test_the_paper_s_schedule_is_the_default() -> None:
    s = Schedule()
    assert (s.epochs, s.batch, s.momentum, s.weight_decay) == (50, 16, 0.9, 3e-4)
    assert (s.architecture_rate, s.architecture_decay) == (3e-4, 1e-3)
    assert s.learning_rate_at(0.0) == 0.025
    assert s.learning_rate_at(0.5) == pytest.approx((0.025 + 1e-3) / 2)
    assert s.learning_rate_at(1.0) == pytest.approx(1e-3)


def sources() -> Sources:
    kinds = Kinds(frozenset({"hum"}), frozenset(), frozenset())
    return collect_commands(command_corpus(), ["low", "high"], CommandsConfig(), kinds)


def test_nobody_speaks_in_both_halves() -> None:
    whole = sources()
    one, other = halves(whole)
    for k, clips in enumerate(whole.words):
        assert sorted([*one.words[k], *other.words[k]], key=lambda w: w.index) == list(clips)
    assert one.noise == other.noise == whole.noise
    speakers = [
        {whole.corpus.recordings[w.index].speaker for word in half.words for w in word}
        for half in (one, other)
    ]
    assert not speakers[0] & speakers[1]


def test_a_word_of_one_half_is_refused() -> None:
    whole = sources()
    with pytest.raises(ManifestError, match="word 1 has 1 clips, all of speakers of one half"):
        halves(replace(whole, words=(whole.words[0][:1], whole.words[1])))


def test_nothing_was_found_before_the_first_epoch(tmp_path: Path) -> None:
    recipe = write_nas_recipe(tmp_path)
    made = SearchRun(recipe, tmp_path / "runs" / "new", SPACE, SCHEDULE, 0, Notes())
    with pytest.raises(TrainingError, match="before the first epoch"):
        made.found()
