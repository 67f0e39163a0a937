"""``wakeword quantize`` from start to end, and what it refuses before long work starts."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from bundles import write_tiny_bundle
from commands_recipe import write_commands_recipe
from inprocess import run
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.data.manifest import read_manifest
from wakeword.runtime import Bundle, Engine, write_bundle
from wakeword.training.quantised.calibration import CalibrationConfig, calibration_windows
from wakeword.training.run import TrainingRun


def trained(recipe: Path, folder: Path) -> Bundle:
    """The bundle of a short run, not calibrated."""
    made = TrainingRun(recipe, folder / "run", 0, Notes())
    made.run()
    bundle = made.bundle()
    return write_bundle(
        folder / "float", bundle.model, bundle.metadata, "# Tones\n", made.recipe_text
    )


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("tones")
    short = {"rounds": 1, "mine_after_rounds": [], "windows_per_scene": 2}
    return trained(write_tone_recipe(folder, **short), folder)


def test_a_wake_word_model(
    tones: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tones.path.parent / "manifest.csv"
    done = run(capsys, "quantize", tones.path, "--manifest", manifest, "--windows", "24",
               "--out", tmp_path / "small", "--json")  # fmt: skip
    assert done.code == 0, done.err
    (told,) = done.records
    made = Bundle.load(tmp_path / "small")
    assert made.name == "tones-int8" and told["in_8_bits"]["sha256"] == made.sha256
    assert told["operators_in_float"] == {"GRU": 1}
    assert "in float stayed 1 GRU: " in done.err and "calibrated anew" in done.err
    assert [x["what"] for x in told["losses"]] == ["missed, clean", "missed, noise at 10 dB SNR"]
    for loss in told["losses"]:
        assert loss["clips"] == 8 and loss["low"] <= loss["more"] <= loss["high"]
    assert set(told["times_ms"]) == {
        "a window, batch 1", "a window, batch 32", "a stream's second, 32 streams"
    }  # fmt: skip
    said = made.metadata.training.recipe["quantisation"]
    assert said["of"] == {"name": "tones", "version": "1.0.0", "sha256": tones.sha256}
    on = said["calibrated_on"]
    assert (on["windows"], on["split"], on["seed"]) == (24, "train", 1)
    assert on["corpora"] == ["clips", "hum", "talk"]
    assert made.operating_point("low tone").hours > 0.001  # measured, not copied
    assert "8-bit integers, made of tones 1.0.0" in made.card and "1 GRU" in made.card
    assert (made.path / "recipe.toml").read_text("utf-8") == (
        (tones.path / "recipe.toml").read_text("utf-8")
    )
    Engine(made)
    again = run(capsys, "quantize", made.path, "--manifest", manifest)
    assert again.code == 2 and "'tones-int8' is in 8 bits already" in again.err


def test_a_command_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = ("rounds = 4\nscenes_per_round = 64", "rounds = 2\nscenes_per_round = 64")
    bundle = trained(write_commands_recipe(tmp_path, *short), tmp_path)
    done = run(capsys, "quantize", bundle.path, "--manifest", tmp_path / "manifest.csv",
               "--windows", "32", "--name", "two-8", "--out", tmp_path / "out")  # fmt: skip
    assert done.code == 0, done.err
    assert "clips mistaken, " in done.out and "times as fast" in done.out
    assert Bundle.load(tmp_path / "out").name == "two-8"


def test_ranges_come_from_training_audio_alone(tones: Bundle, tmp_path: Path) -> None:
    """The recordings of other splits need not even exist; a seed gives the same windows again."""
    path = tones.path.parent / "manifest.csv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        gone = row["split"] != "train"
        row["path"] = f"gone/{row['path']}" if gone else str(path.parent / row["path"])
    with open(tmp_path / "manifest.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    manifest = read_manifest(tmp_path / "manifest.csv", check_files=False)
    first, same, other = (
        calibration_windows(tones, manifest, CalibrationConfig(16, seed), Notes()).windows
        for seed in (1, 1, 2)
    )
    assert first.shape == (16, 151, 40) and first.dtype == "float32"
    assert (first == same).all() and not (first == other).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--windows", "7"), "7 calibration windows; it must be from 8 to 100000"),
        (("--name", "../x"), "name = '../x'"),
    ],
)
def test_wrong_options_are_refused(
    tones: Bundle, options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tones.path.parent / "manifest.csv"
    done = run(capsys, "quantize", tones.path, "--manifest", manifest, *options)
    assert done.code == 2 and says in done.err and "Traceback" not in done.err


def test_a_model_that_says_nothing_of_its_training_is_refused(
    tones: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = write_tiny_bundle(tmp_path / "tiny")
    manifest = tones.path.parent / "manifest.csv"
    done = run(capsys, "quantize", tiny, "--manifest", manifest)
    assert done.code == 2 and "the recipe of model 'tiny'" in done.err
    assert not Path("models/tiny-int8").exists()


def test_a_manifest_without_training_recordings_is_refused(
    tones: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tones.path.parent / "manifest.csv"
    (tmp_path / "manifest.csv").write_text(
        "".join(
            line.replace(",train,", ",test,")
            if ",train," in line
            else line
            for line in path.read_text("utf-8").splitlines(keepends=True)
        ),
        "utf-8",
    )
    for file in path.parent.glob("*.wav"):
        (tmp_path / file.name).hardlink_to(file)
    done = run(capsys, "quantize", tones.path, "--manifest", tmp_path / "manifest.csv")
    assert done.code == 2 and "no recording of the split 'train'" in done.err


def test_finetuning_a_recurrent_network_is_refused_before_any_work(
    tones: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tones.path.parent / "manifest.csv"
    done = run(capsys, "quantize", tones.path, "--manifest", manifest, "--finetune",
               "--run", tmp_path / "run")  # fmt: skip
    assert done.code == 2 and "cannot be finetuned in 8 bits: it has " in done.err
    assert " GRU" in done.err
    assert "calibration windows" not in done.err and not (tmp_path / "run").exists()
