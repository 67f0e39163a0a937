"""``evaluate --protocol speech-commands`` on bundles of several seeds, from the outside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from commands_recipe import write_commands_recipe
from inprocess import run
from run_notes import Notes

from wakeword.errors import EvaluationError
from wakeword.runtime import Bundle, write_bundle
from wakeword.training.commands.features import clip_features
from wakeword.training.commands.measure import class_network, measure_commands, trials_of
from wakeword.training.run import TrainingRun


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


@pytest.fixture(scope="module")
def trained(folder: Path) -> TrainingRun:
    """One run, and in ``folder`` its bundle under two seeds."""
    short = ("rounds = 4\nscenes_per_round = 64", "rounds = 1\nscenes_per_round = 32")
    made = TrainingRun(write_commands_recipe(folder, *short), folder / "run", 0, Notes())
    made.run()
    bundle = made.bundle()
    for seed in (1, 2):
        training = replace(bundle.metadata.training, seed=seed)
        metadata = replace(bundle.metadata, training=training)
        write_bundle(folder / f"seed-{seed}", bundle.model, metadata, "# card\n")
    return made


def test_all_classes_are_told_apart_in_the_model_that_ships(
    trained: TrainingRun, folder: Path
) -> None:
    bundle = Bundle.load(folder / "seed-1")
    trials = trials_of(bundle, trained.manifest, {"hum"}, "dev")
    features = clip_features(trials, bundle.metadata.frontend, Notes().stage)
    result = measure_commands(bundle, trials, features)
    with torch.no_grad():
        logits = trained.trainer.average.eval()(torch.from_numpy(features))
    assert result.classes == ("silence", "low", "high", "unknown")
    assert np.allclose(result.posteriors, torch.softmax(logits, 1).numpy(), atol=1e-5)
    assert trained.watch is not None
    right = 1.0 - result.wrong.value
    assert right == pytest.approx(trained.trainer.log[-1]["accuracy"])


def test_another_network_is_refused(trained: TrainingRun, tiny_bundle: Path) -> None:
    tiny = Bundle.load(tiny_bundle)
    with pytest.raises(EvaluationError, match="does not end as that of a command set"):
        class_network(tiny, len(tiny.metadata.labels) + 1)
    assert class_network(tiny, len(tiny.metadata.labels)) == tiny.model
    with pytest.raises(EvaluationError, match="is not a command set"):
        trials_of(tiny, trained.manifest, {"hum"}, "dev")


def test_figures_and_report_of_two_seeds(
    capsys: pytest.CaptureFixture[str], trained: TrainingRun, folder: Path, tmp_path: Path
) -> None:
    common = ("--manifest", trained.manifest.path, "--protocol", "speech-commands")
    models = (folder / "seed-1", folder / "seed-2")
    done = run(capsys, "evaluate", *models, *common, "--report", tmp_path / "out")
    assert done.code == 0, done.err
    for said in ("mean of 2", "± 0.00", "precision", "| unknown", "area under ROC"):
        assert said in done.out
    values = json.loads((tmp_path / "out" / "commands.json").read_text("utf-8"))
    assert [m["seed"] for m in values["about"]["models"]] == [1, 2]
    assert (tmp_path / "out" / "confusion-two-tones.png").exists()
    again = run(capsys, "evaluate", models[0], *common, "--json")
    accuracy = [r for r in again.records if r["figure"] == "accuracy"]
    assert accuracy == [{"figure": "accuracy", **values["accuracy"][0]}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--split", "test"], "the split 'test' has no clip of high, low"),
        (["--noise-corpus", "nowhere"], "no background noise"),
        (["--snr", "10"], "--snr does not go with --protocol speech-commands"),
        (["--hours", "1"], "--hours does not go with --protocol speech-commands"),
        (["--target", "1"], "--target does not go with --protocol speech-commands"),
    ],
)
def test_refusals(
    capsys: pytest.CaptureFixture[str], trained: TrainingRun, folder: Path,
    arguments: list[str], says: str,
) -> None:  # fmt: skip
    done = run(capsys, "evaluate", folder / "seed-1", "--manifest", trained.manifest.path,
               "--protocol", "speech-commands", *arguments)  # fmt: skip
    assert done.code == 2 and says in done.err and "Traceback" not in done.err, done.err


def test_a_model_that_is_no_command_set(
    capsys: pytest.CaptureFixture[str], trained: TrainingRun, tiny_bundle: Path
) -> None:
    done = run(capsys, "evaluate", tiny_bundle, "--manifest", trained.manifest.path,
               "--protocol", "speech-commands")  # fmt: skip
    assert done.code == 2 and "is not a command set" in done.err
