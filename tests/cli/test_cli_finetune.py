"""``wakeword quantize --finetune``: when it is done, that it helps, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from inprocess import run
from nas_recipe import write_nas_recipe
from run_notes import Notes

from wakeword.data.manifest import Manifest, read_manifest
from wakeword.runtime import Bundle, write_bundle
from wakeword.runtime.session import INPUT, open_network
from wakeword.training.commands.measure import class_network
from wakeword.training.material import plan_of
from wakeword.training.quantised import losses, report
from wakeword.training.quantised.calibration import (
    Calibration,
    CalibrationConfig,
    calibration_windows,
)
from wakeword.training.quantised.convert import Quantised, quantise
from wakeword.training.quantised.finetune import FinetuneConfig, finetuned
from wakeword.training.run import TrainingRun

COARSE = 40.0
"""Ranges found in features so much too large leave a handful of steps for the true ones."""
NETWORK = 'family = "res"\nparameters = { layers = 2, channels = 6, pool = [2, 2] }'


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of a network this small wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "set_num_threads", lambda count: None)
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder = tmp_path_factory.mktemp("tones")
    path = write_nas_recipe(folder)
    text = path.read_text("utf-8")
    begin, end = text.index('family = "crnn"'), text.index("\n[features]")
    path.write_text(f"{text[:begin]}{NETWORK}\n{text[end:]}", "utf-8")
    made = TrainingRun(path, folder / "runs" / "float", 0, Notes())
    made.run()
    return made


@pytest.fixture(scope="module")
def bundle(trained: TrainingRun) -> Bundle:
    made = trained.bundle()
    folder = trained.manifest.path.parent / "float"
    return write_bundle(folder, made.model, made.metadata, "# Tones\n", trained.recipe_text)


@pytest.fixture(scope="module")
def manifest(bundle: Bundle) -> Manifest:
    return read_manifest(bundle.path.parent / "manifest.csv")


@pytest.fixture(scope="module")
def coarse(bundle: Bundle, manifest: Manifest) -> Quantised:
    """The network in 8 bits with ranges that are far too wide."""
    windows = calibration_windows(bundle, manifest, CalibrationConfig(32), Notes()).windows
    return quantise(bundle.model, COARSE * windows)


def surprise(bundle: Bundle, model: bytes, trained: TrainingRun) -> float:
    """Mean cross entropy on clips made as those of training, as ONNX Runtime computes it."""
    shard = plan_of(trained.recipe, trained.sources).make(0)
    windows = shard.features[:, : bundle.metadata.window_frames].astype(np.float32)
    network = open_network(class_network(replace(bundle, model=model), 4), "x")
    logits = np.asarray(network.run(None, {INPUT: windows})[0], np.float64)
    logits -= logits.max(1, keepdims=True)
    chosen = logits[np.arange(len(logits)), shard.label]
    return float((np.log(np.exp(logits).sum(1)) - chosen).mean())


def test_it_gives_back_much_of_what_rounding_took(
    trained: TrainingRun, bundle: Bundle, manifest: Manifest, coarse: Quantised, tmp_path: Path
) -> None:
    config = FinetuneConfig(tmp_path / "runs" / "tones", rounds=3, learning_rate=3e-3)
    found = finetuned(bundle, coarse, manifest, config, Notes())
    exact, before, after = (
        surprise(bundle, model, trained) for model in (bundle.model, coarse.model, found.model)
    )
    assert before > exact + 0.05, "the ranges are too good to test with"
    assert after < before
    assert (found.in_8_bits, found.parameters) == (coarse.in_8_bits, coarse.parameters)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    bundle: Bundle, manifest: Manifest, coarse: Quantised, tmp_path: Path
) -> None:
    whole, broken = (
        FinetuneConfig(tmp_path / "runs" / name, rounds=2) for name in ("whole", "broken")
    )
    expected = finetuned(bundle, coarse, manifest, whole, Notes()).model
    with pytest.raises(KeyboardInterrupt):
        finetuned(bundle, coarse, manifest, broken, Notes("round 2/2"))
    notes = Notes()
    assert finetuned(bundle, coarse, manifest, broken, notes).model == expected
    assert "resuming after round 1" in notes.notes


def command(bundle: Bundle, folder: Path, *options: str) -> tuple[object, ...]:
    manifest = bundle.path.parent / "manifest.csv"
    return ("quantize", bundle.path, "--manifest", manifest, "--windows", "32", "--workers", "0",
            "--out", folder / "out", "--run", folder / "runs" / "tones", *options)  # fmt: skip


def test_it_is_done_where_8_bits_lose_much(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def wide(*given: Any) -> Calibration:
        found = calibration_windows(*given)
        return replace(found, windows=COARSE * found.windows)

    monkeypatch.setattr(report, "calibration_windows", wide)
    options = ("--finetune", "--rounds", "4", "--learning-rate", "0.003", "--json")
    done = run(capsys, *command(bundle, tmp_path, *options))
    assert done.code == 0, done.err
    (told,) = done.records
    assert told["finetuned"] and "points beside float without it" in done.err
    assert told["losses"][0]["more"] < told["losses_before"][0]["more"]
    made = Bundle.load(tmp_path / "out")
    said = made.metadata.training.recipe["quantisation"]["finetuned"]
    assert said == {"rounds": 4, "learning_rate": 0.003, "seed": 1}
    assert "Weights were trained with rounding, 4 rounds." in made.card


def test_it_is_not_done_where_nothing_is_lost(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(losses, "LARGE_LOSS", 1.0)
    done = run(capsys, *command(bundle, tmp_path, "--finetune", "--json"))
    assert done.code == 0, done.err
    assert "no finetuning is needed: clips mistaken" in done.err
    assert not json.loads(done.out)["finetuned"] and not (tmp_path / "runs" / "tones").exists()
    made = Bundle.load(tmp_path / "out")
    assert "finetuned" not in made.metadata.training.recipe["quantisation"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--finetune", "--split", "test"), "--finetune is chosen by the split dev, not --split"),
        (("--finetune", "--rounds", "0"), "0 rounds of finetuning; it must be from 1 to 1000"),
        (("--always", "--learning-rate", "0"), "a learning rate of 0.0 must be in (0, 1]"),
    ],
)
def test_wrong_options_are_refused(
    bundle: Bundle, tmp_path: Path, options: tuple[str, ...], says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    done = run(capsys, *command(bundle, tmp_path, *options))
    assert done.code == 2 and says in done.err and "making calibration" not in done.err
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_other_options_is_refused(
    bundle: Bundle, manifest: Manifest, coarse: Quantised, tmp_path: Path
) -> None:
    from wakeword.errors import TrainingError

    config = FinetuneConfig(tmp_path / "runs" / "tones", rounds=1)
    finetuned(bundle, coarse, manifest, config, Notes())
    with pytest.raises(TrainingError, match="is of another recipe"):
        finetuned(bundle, coarse, manifest, replace(config, learning_rate=1e-4), Notes())
