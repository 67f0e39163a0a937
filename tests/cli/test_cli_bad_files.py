"""Manifests, bundles and recipes that are wrong, given to the real command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from processes import RunCli
from refusals import refused

HEADER = "path,corpus,text,speaker,split,word_start_s,word_end_s,seconds"
WORD_ROW = "word.wav,mine,low tone,me,dev,0.5,1.0,2.0"
NOISE_ROW = "noise.wav,street,traffic,,dev,,,2.0"


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder with the two recordings that the rows name."""
    for name in ("word", "noise"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(32_000, np.float32), 16_000)
    return tmp_path


MANIFESTS = {
    "missing file": (f"{HEADER}\n{WORD_ROW}\ngone.wav,mine,,me,dev,,,2.0\n", r"gone\.wav"),
    "unknown column": (f"{HEADER},mood\n{WORD_ROW},happy\n", "mood"),
    "missing column": ("path,corpus\nword.wav,mine\n", "text|column"),
    "no row": (f"{HEADER}\n", "row|empty|no recordings"),
    "unknown split": (f"{HEADER}\n{WORD_ROW.replace('dev', 'deev')}\n", "deev"),
    "times in wrong order": (f"{HEADER}\n{WORD_ROW.replace('0.5,1.0', '1.0,0.5')}\n", "0.5"),
    "nothing without the word": (f"{HEADER}\n{WORD_ROW}\n", "without|negative|hours|no recording"),
}


@pytest.mark.parametrize(("command", "option"), [("evaluate", "--report"), ("calibrate", "--out")])
@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_that_cannot_be_used_is_refused(
    run_cli: RunCli, tiny_bundle: Path, recordings: Path, command: str, option: str, kind: str
) -> None:
    text, says = MANIFESTS[kind]
    manifest, out = recordings / "manifest.csv", recordings / "out"
    manifest.write_text(text, "utf-8")
    done = run_cli(command, tiny_bundle, "--manifest", manifest, option, out)
    refused(done, says)
    assert not out.exists()


def test_an_evaluation_says_which_words_have_no_clips(
    run_cli: RunCli, tiny_bundle: Path, recordings: Path
) -> None:
    """Without clips there are still false alarms to count, but no miss rate is made up."""
    (recordings / "manifest.csv").write_text(f"{HEADER}\n{NOISE_ROW}\n", "utf-8")
    done = run_cli("evaluate", tiny_bundle, "--manifest", recordings / "manifest.csv")
    assert done.returncode == 0, done.stderr
    assert "no clips of low tone, high tone" in done.stderr


def change(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """An edit of metadata.json at the top level."""
    return lambda metadata: metadata.update(changes)


def threshold_of_one(metadata: dict[str, Any]) -> None:
    metadata["operating_points"]["low tone"][0]["threshold"] = 1.0


def wrong_checksum(metadata: dict[str, Any]) -> None:
    metadata["model"]["sha256"] = "0" * 64


BUNDLES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "newer schema": (change(schema_version=99), "99"),
    "threshold outside (0, 1)": (threshold_of_one, "threshold.*1"),
    "wrong checksum": (wrong_checksum, "sha256|checksum"),
    "unknown key": (change(colour="blue"), "colour"),
    "no labels": (change(labels=[]), "labels"),
}


@pytest.mark.parametrize("kind", BUNDLES)
def test_a_bundle_that_cannot_be_trusted_is_refused(
    run_cli: RunCli, tiny_bundle: Path, recordings: Path, kind: str
) -> None:
    edit, says = BUNDLES[kind]
    bundle = Path(shutil.copytree(tiny_bundle, recordings / "edited"))
    metadata = json.loads((bundle / "metadata.json").read_text("utf-8"))
    edit(metadata)
    (bundle / "metadata.json").write_text(json.dumps(metadata), "utf-8")
    refused(run_cli("detect", recordings / "word.wav", "--model", bundle), says)


def test_a_bundle_without_its_network_is_refused(
    run_cli: RunCli, tiny_bundle: Path, recordings: Path
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, recordings / "half"))
    (bundle / "model.onnx").unlink()
    refused(run_cli("detect", recordings / "word.wav", "--model", bundle), r"model\.onnx")


RECIPE = """\
[bundle]
name = "tones"
words = ["low tone"]
[data]
manifest = "manifest.csv"
rooms = 0
[data.licences]
mine = "CC0"
street = "CC0"
[network]
family = "crnn"
[training]
batch = 8
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[training]", "[training]\nspeed = 11", "speed"),
        ("[network]", "[netwark]", "netwark"),
        ('family = "crnn"', 'family = "crystal"', "crystal.*crnn"),
        ("batch = 8", "batch = -8", "batch.*-8"),
        ("[bundle]", "[bundle", "(?i)toml|line|expected"),
        ("mine =", "yours =", "licences.*mine"),
        ("manifest.csv", "gone.csv", r"gone\.csv"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(
    run_cli: RunCli, recordings: Path, old: str, new: str, says: str
) -> None:
    assert RECIPE.count(old) == 1
    train_rows = f"{WORD_ROW}\n{NOISE_ROW}\n".replace(",dev,", ",train,")
    (recordings / "manifest.csv").write_text(f"{HEADER}\n{train_rows}", "utf-8")
    (recordings / "recipe.toml").write_text(RECIPE.replace(old, new), "utf-8")
    run, out = recordings / "run", recordings / "out"
    done = run_cli("train", recordings / "recipe.toml", "--run", run, "--out", out)
    refused(done, says)
    assert not run.exists() and not out.exists()


def test_a_word_without_recordings_cannot_be_trained(run_cli: RunCli, recordings: Path) -> None:
    """The class would be empty: its word is named, and no model is written."""
    train_rows = f"{WORD_ROW}\n{NOISE_ROW}\n".replace(",dev,", ",train,")
    (recordings / "manifest.csv").write_text(f"{HEADER}\n{train_rows}", "utf-8")
    text = RECIPE.replace('["low tone"]', '["low tone", "xylophone"]')
    (recordings / "recipe.toml").write_text(text, "utf-8")
    run, out = recordings / "run", recordings / "out"
    done = run_cli("train", recordings / "recipe.toml", "--run", run, "--out", out)
    refused(done, "xylophone")
    assert not out.exists()
