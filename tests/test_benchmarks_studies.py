"""The paper's studies run from start to end on a tiny setting, and go on where they stopped."""

from __future__ import annotations

import csv
import importlib
import json
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripts import run_script
from tone_manifest import HIGH, LOW
from tone_recipe import write_tone_recipe

from wakeword.data.manifest import read_manifest
from wakeword.errors import ConfigError, RecipeError
from wakeword.networks.nas.genotype import random_genotype
from wakeword.runtime import Bundle
from wakeword.training.derived import derive, label_of, of_network
from wakeword.training.recipe import read_recipe

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rounds of two steps each: what is learnt does not matter here."""
    folder = tmp_path_factory.mktemp("tones")
    return write_tone_recipe(folder, rounds=2, mine_after_rounds=[1], windows_per_scene=1)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("studies.run")


def run(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, recipe: Path, *arguments: str | Path
) -> None:
    given = [*arguments, "--recipe", recipe, "--manifest", recipe.parent / "manifest.csv",
             "--workers", "0"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["run.py", *map(str, given)])
    study.main()


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_table_1_is_trained_row_by_row_and_goes_on_after_an_interruption(
    study: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "table1"
    keep = tmp_path / "heard"
    given = (recipe, "table1", "--rows", "7", "1", "--out", out, "--keep", keep)
    measured = study.measured

    def interrupted(variant: Any, setting: Any) -> Any:
        if variant.name == "row-01":
            raise KeyboardInterrupt
        return measured(variant, setting)

    monkeypatch.setattr(study, "measured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(study, monkeypatch, *given)
    assert {r["row"] for r in rows(out / "table1.csv")} == {"7"}
    monkeypatch.setattr(study, "measured", measured)
    capsys.readouterr()
    page = tmp_path / "studies.md"
    page.write_text("# Studies\n", "utf-8")
    run(study, monkeypatch, *given, "--document", page)
    printed, notes = capsys.readouterr()
    assert "row-07: measured before" in notes and "row-07: round" not in notes
    assert "row-01: round 2/2" in notes and "mined" not in notes
    assert len(list(keep.glob("*/shard-*.npz"))) == 2, "made for one row, and heard by both"
    found = rows(out / "table1.csv")
    assert {(r["row"], r["target_fa_per_hour"]) for r in found} == {
        (row, target) for row in ("1", "7") for target in ("1.0", "0.5")
    }
    for r in found:
        assert float(r["frr_low"]) <= float(r["frr"]) <= float(r["frr_high"])
        assert r["condition"] == "noise at 5 dB SNR" and r["clips"] == "8"
    assert "| 45k " in printed and "| 5.54 % " in printed and "| 127k " in printed
    assert (out / "table1.md").read_text("utf-8") == printed
    assert (out / "table1.png").read_bytes().startswith(b"\x89PNG")
    text = page.read_text("utf-8")
    begin = "# Studies\n\n<!-- begin study table1 -->\n2 rounds, seed 1; 8 clips of 2 words"
    assert text.startswith(begin)
    assert printed.strip() in text
    assert (tmp_path / "figures" / "study-table1.png").read_bytes() == (
        out / "table1.png"
    ).read_bytes()
    bundle = Bundle.load(out / "runs" / "row-01" / "bundle")
    assert str(bundle.metadata.model.parameters) in {r["parameters"] for r in found}
    assert bundle.operating_points(LOW).targets == (0.5, 1.0)


def test_figure_2_trains_on_nested_shares_with_and_without_mining(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, recipe: Path, tmp_path: Path
) -> None:
    run(study, monkeypatch, recipe, "recordings", "--shares", "0.5", "--out", tmp_path / "out")
    found = json.loads((tmp_path / "out" / "recordings.json").read_text("utf-8"))
    assert {(r["training_clips"], r["mined"]) for r in found} == {(6, False), (6, True)}
    runs = tmp_path / "out" / "runs"
    assert not list((runs / "6-clips-unmined").glob("mined-*.json"))
    assert (runs / "6-clips-mined" / "mined-00001.json").exists()
    assert "| 6 " in (tmp_path / "out" / "recordings.md").read_text("utf-8")
    assert (tmp_path / "out" / "recordings.png").read_bytes().startswith(b"\x89PNG")


def test_parameters_of_pcen_are_changed_and_nothing_else(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, recipe: Path, tmp_path: Path
) -> None:
    run(study, monkeypatch, recipe, "pcen", "--parameters", "root", "--out", tmp_path / "out")
    bundle = Bundle.load(tmp_path / "out" / "runs" / "root" / "bundle")
    default = read_recipe(recipe).frontend
    assert bundle.metadata.frontend == replace(default, pcen=replace(default.pcen, r=0.25))
    table = (tmp_path / "out" / "pcen.md").read_text("utf-8")
    assert "| root | 0.025 | 0.98  | 2     | 0.25 | " in table and "missed, babble" in table


def test_synthetic_voices_left_out_of_training_are_not_measured_on(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All splits of a corpus that was not trained on are measured: but not of a synthesiser."""
    recipe = write_tone_recipe(
        tmp_path, rounds=1, mine_after_rounds=[], windows_per_scene=1, synthetic_corpora=["voice"]
    )
    shutil.copy(tmp_path / "train-low-0.wav", tmp_path / "voice.wav")
    with open(tmp_path / "manifest.csv", "a", encoding="utf-8") as manifest:
        manifest.write(f"voice.wav,voice,{LOW},v1,train,,,1.5\n")
    run(study, monkeypatch, recipe, "recordings", "--shares", "1", "--out", tmp_path / "out")
    path = tmp_path / "out" / "runs" / "12-clips-unmined" / "measured.json"
    assert {r["clips"] for r in json.loads(path.read_text("utf-8"))["rows"]} == {8}


def test_subsets_are_nested_and_touch_nothing_but_the_words(
    study: ModuleType, recipe: Path, tmp_path: Path
) -> None:
    subsets = sys.modules["studies.subsets"]
    whole = read_manifest(recipe.parent / "manifest.csv")
    kept = {}
    for share, count in ((0.1, 2), (0.5, 6), (1.0, 12)):
        path = tmp_path / f"{share}.csv"
        assert len(subsets.subset(whole, (LOW, HIGH), (), share, path)) == count
        kept[share] = {r.path for r in read_manifest(path)}
    assert kept[0.1] < kept[0.5] < kept[1.0] == {r.path.resolve() for r in whole}
    gone = [r for r in whole if r.path.resolve() not in kept[0.1]]
    assert all(r.split == "train" and r.text in (LOW, HIGH) for r in gone)
    with pytest.raises(ConfigError, match="share of 0 "):
        subsets.subset(whole, (LOW,), (), 0.0, tmp_path / "none.csv")
    assert subsets.subset(whole, (LOW, HIGH), ("clips",), 1.0, tmp_path / "x.csv") == []


def test_figure_4_compares_training_with_and_without_rooms(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, recipe: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.modules["studies.distance"], "DISTANCES_M", (0.5, 3.0))
    monkeypatch.setattr(sys.modules["studies.distance"], "KINDS", (("noise", 5.0),))
    run(study, monkeypatch, recipe, "distance", "--out", tmp_path / "out", "--rounds", "1")
    found = rows(tmp_path / "out" / "distance.csv")
    assert {(r["variant"], r["condition"]) for r in found} == {
        (v, "noise at 5 dB SNR" + far)
        for v in ("near", "far")
        for far in ("", ", 0.5 m away", ", 3 m away")
    }
    runs = tmp_path / "out" / "runs"
    near, far = (read_recipe(runs / v / "recipe.toml") for v in ("near", "far"))
    assert (near.data.rooms, near.scenes.room) == (0, 0.0)
    assert far.data.rooms == 2 and far.scenes.room > 0.0
    assert near.training.rounds == 1 and near.training.mine_after_rounds == ()
    assert (tmp_path / "out" / "distance.png").read_bytes().startswith(b"\x89PNG")


def test_other_networks_bring_their_own_front_end(
    study: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    given = (recipe, "networks", "--networks", "ds-cnn-s", "crnn", "--seeds", "4", "--out", out)
    run(study, monkeypatch, *given, "--rounds", "1")
    printed = capsys.readouterr().out
    found = json.loads((out / "networks.json").read_text("utf-8"))
    assert {(r["network"], r["seed"], r["condition"]) for r in found} == {
        (name, 4, c)
        for name in ("ds-cnn-s", "crnn")
        for c in ("noise at 10 dB SNR", "noise at 5 dB SNR", "babble at 10 dB SNR", "clean")
    }
    assert "| ds-cnn-s " in printed and "alse alarms, all words" in printed
    other, same = (Bundle.load(out / "runs" / f"{n}-4" / "bundle") for n in ("ds-cnn-s", "crnn"))
    assert (other.metadata.frontend.kind, other.metadata.frontend.channels) == ("mfcc", 10)
    # 1.525 s, as long as 151 frames of 25 ms every 10 ms.
    assert other.metadata.window_frames == 75 and same.metadata.window_frames == 151
    assert other.operating_point(LOW).condition == "noise at 10 dB SNR"
    assert (out / "networks.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_that_is_not_there_is_refused_before_anything_is_trained(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="unknown network 'tc-resnet9'"):
        run(study, monkeypatch, recipe, "networks", "--networks", "tc-resnet8", "tc-resnet9",
            "--out", tmp_path / "out")  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_the_network_of_another_recipe_comes_with_its_front_end(
    study: ModuleType, recipe: Path, tmp_path: Path
) -> None:
    """As a search writes one: with cells of its own, on a front end of its own."""
    cells = {"genotype": random_genotype("nas1", rng=random.Random(1)).to_dict(), "channels": 4}
    base = read_recipe(recipe)
    changes = {**of_network(base, "ds-cnn-s"), "network": {"family": "nas", "parameters": cells}}
    other = derive(recipe, changes, tmp_path / "cells" / "found.toml")
    assert label_of(str(other)) == "cells" and label_of("ds-cnn-s") == "ds-cnn-s"
    (variant,) = sys.modules["studies.networks"].variants([str(other)], [7], recipe, {})
    assert variant.name == "cells-7" and variant.facts == {"network": "cells"}
    made = read_recipe(derive(recipe, variant.changes, tmp_path / "made.toml"))
    wanted = read_recipe(other)
    assert (made.network, made.frontend, made.windows) == (
        wanted.network, wanted.frontend, wanted.windows)  # fmt: skip
    assert (made.bundle.words, made.bundle.name) == (base.bundle.words, "cells")


def test_recipes_are_derived_key_by_key(study: ModuleType, recipe: Path, tmp_path: Path) -> None:
    recipes = sys.modules["studies.recipes"]
    out = derive(recipe, {"training.seed": 9, "scenes.room": 0.0}, tmp_path / "a.toml")
    before, after = read_recipe(recipe).to_dict(), read_recipe(out).to_dict()
    assert Path(after["data"]["manifest"]) == (recipe.parent / "manifest.csv").resolve()
    before["data"]["manifest"] = after["data"]["manifest"]
    before["training"]["seed"], before["scenes"]["room"] = 9, 0.0
    assert after == before
    with pytest.raises(RecipeError, match="unknown key 'sed'"):
        derive(recipe, {"training.sed": 9}, tmp_path / "b.toml")
    with pytest.raises(RecipeError, match="0 rounds"):
        recipes.shortened(recipe, 0)


def test_bundles_of_a_recipe_are_found_from_afar(repository: Path, tmp_path: Path) -> None:
    base = repository / "benchmarks" / "recipes" / "seven-taught.toml"
    out = read_recipe(derive(base, {}, tmp_path / "far" / "away.toml")).training
    alone, beside = (repository / "runs" / f"seven-{n}-bundle" for n in ("alone", "beside"))
    assert Path(out.start) == beside
    assert [Path(t) for t in out.teachers] == [alone, beside]


def test_windows_stay_as_long_in_seconds(repository: Path, tmp_path: Path) -> None:
    base = repository / "benchmarks" / "recipes" / "commands-tc-resnet8.toml"
    before = read_recipe(base)
    same, other = (
        read_recipe(derive(base, of_network(before, name), tmp_path / f"{name}.toml"))
        for name in ("tc-resnet14", "ds-cnn-s")
    )
    assert (same.windows, same.frontend) == (before.windows, before.frontend)
    assert (other.windows.frames, other.windows.time_mask_frames) == (49, 5)
    assert other.windows.channel_mask_width == 1 and other.frontend.f_max_hz == 4000.0


def test_a_plan_trains_nothing(
    study: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    recipe: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(study, monkeypatch, recipe, "table1", "--rows", "1", "--plan", "--out", tmp_path)
    printed = capsys.readouterr().out
    assert "| row-01  | 45,539 " in printed and printed.count("\n") == 3
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["recipe.toml"]


def test_rows_that_are_not_there_are_refused(repository: Path, recipe: Path) -> None:
    done = run_script(
        repository / "benchmarks" / "studies" / "run.py", "table1", "--rows", "27",
        "--recipe", recipe, "--manifest", recipe.parent / "manifest.csv",
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert "error: row 27; Table 1 has rows 1 to 26" in done.stderr
