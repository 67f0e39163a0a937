"""Training of an aligner: tones are read as letters after seconds; resumed, exported, used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from inprocess import run
from run_notes import Notes
from tone_letters import RATE, spoken
from tone_manifest import ToneManifest

from wakeword.alignment.ctc import CtcAligner
from wakeword.alignment.model import load_letter_model
from wakeword.data.manifest import read_manifest
from wakeword.errors import RecipeError, TrainingError
from wakeword.training.letters.recipe import read_letters_recipe
from wakeword.training.letters.run import LettersRun
from wakeword.training.letters.speech import BatchMaker, choose_speech, load_speech

RECIPE = """
name = "tones"
[data]
manifest = "manifest.csv"
noise_corpora = ["noise"]
licences = { clips = "CC0", noise = "CC0" }
[features]
warp = [1.0, 1.0]
band = 0.0
[network]
filters = 24
dilations = [1]
dropout = 0.0
[training]
epochs = 10
batch_s = 6.0
learning_rate = 0.02
noisy = 0.2
snr_db = [20.0, 40.0]
"""



@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random words of six tones, some in digits or without a transcript, and noise."""
    folder = tmp_path_factory.mktemp("letters")
    rng, made = np.random.default_rng(2), ToneManifest(folder, [])
    for i in range(60):
        text = "".join(rng.choice(list("abcdef"), int(rng.integers(2, 7))))
        start = rng.uniform(0.1, 0.5)
        made.add(f"t{i}", spoken(text, 0.3 + start + 0.1 * len(text), start), text, split="train")
    made.add("digits", spoken("a", 1.0, 0.1), "4 of a", split="train")
    made.add("unknown", spoken("a", 1.0, 0.1), "", split="train")
    made.add("dev", spoken("a", 1.0, 0.1), "a", split="dev", speaker="s2")
    hiss = 0.01 * rng.standard_normal(RATE).astype(np.float32)
    made.add("hiss", hiss, "hiss", "noise", "train", "")
    made.save()
    path = folder / "tones.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def trained(recipe: Path) -> LettersRun:
    """A run that went through without a break."""
    whole = LettersRun(recipe, recipe.parent / "runs" / "whole", Notes())
    whole.run()
    return whole


def test_only_what_can_be_spelt_is_trained_on(recipe: Path) -> None:
    read, manifest = read_letters_recipe(recipe), read_manifest(recipe.parent / "manifest.csv")
    chosen = choose_speech(read, manifest)
    assert len(chosen) == 61 and {r.split for r in chosen} == {"train"}
    speech = load_speech(chosen, read, recipe.parent / "cache", lambda amount: None)
    assert speech.letters == "abcdef" and len(speech.spoken) == 60 and len(speech.noise) == 1
    count, batches = BatchMaker(speech, read).epoch(3)
    drawn = list(batches)
    assert len(drawn) == count
    said = ["".join(speech.letters[k - 1] for k in labels) for b in drawn for labels in b.labels]
    assert sorted(said) == sorted(speech.texts)
    for batch in drawn:
        assert batch.features.shape[0] == len(batch.frames) == len(batch.labels)
        assert batch.frames.max() == batch.features.shape[1]
        assert batch.features.size / batch.features.shape[2] <= 600


def test_what_was_learnt_finds_words(trained: LettersRun, tmp_path: Path) -> None:
    assert trained.log[-1]["loss"] < 0.5 < trained.log[0]["loss"]
    trained.save(tmp_path / "out")
    model = load_letter_model(tmp_path / "out")
    assert model.metadata.letters == "abcdef"
    assert [d.corpus for d in model.metadata.training.data] == ["clips", "noise"]
    for word, start in (("face", 0.4), ("bed", 0.9)):
        times = CtcAligner(model, "ctc-path")(spoken(word, 2.0, start), RATE, word, word)
        assert times is not None
        assert times.start_s == pytest.approx(start, abs=0.1)
        assert times.end_s == pytest.approx(start + 0.1 * len(word), abs=0.15)


def test_a_run_that_was_interrupted_ends_with_the_same_weights(
    recipe: Path, trained: LettersRun
) -> None:
    folder = recipe.parent / "runs" / "broken"
    with pytest.raises(KeyboardInterrupt):
        LettersRun(recipe, folder, Notes("epoch 3/10")).run()
    resumed = LettersRun(recipe, folder, reporter := Notes())
    resumed.run()
    assert "resuming after epoch 3" in reporter.notes
    for name, weights in trained.model.state_dict().items():
        np.testing.assert_array_equal(weights, resumed.model.state_dict()[name], err_msg=name)


def test_a_checkpoint_of_another_recipe_is_refused(recipe: Path, trained: LettersRun) -> None:
    other = recipe.with_name("other.toml")
    other.write_text(RECIPE.replace("noisy = 0.2", "noisy = 0.3"))
    with pytest.raises(TrainingError, match="another recipe"):
        LettersRun(other, trained.paths.folder, Notes()).run()
    renamed = recipe.with_name("renamed.toml")
    renamed.write_text(RECIPE.replace('"tones"', '"sounds"'))
    again = LettersRun(renamed, trained.paths.folder, Notes())
    again.run()
    assert again.epoch == 10


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"CC0", noise', '"CC0", hum', "licences says nothing of the corpora noise"),
        ("[data]", '[data]\nexclude_corpora = ["clips"]', "no transcribed speech"),
        ("epochs = 10", "epochs = 0", "epochs = 0"),
        ("batch_s = 6.0", "batch_s = 0.5", "batch_s = 0.5"),
        ("noisy = 0.2", "noisy = 1.2", "noisy = 1.2"),
        ("snr_db = [20.0, 40.0]", "snr_db = [40.0, 20.0]", "snr_db"),
        ("learning_rate = 0.02", "learning_rate = 1.5", "learning_rate = 1.5"),
        ("filters = 24", "filters = 0", "filters = 0"),
        ("filters = 24", "kernel = 4", "kernel = 4"),
        ("dilations = [1]", "dilations = [0]", "dilations"),
        ("dropout = 0.0", "dropout = 1.0", "dropout = 1.0"),
        ('name = "tones"', 'name = "To nes"', "name"),
        ('name = "tones"', 'name = "tones"\ncolour = "red"', "unknown key"),
        ("[data]", "[data", "cannot be read"),
    ],
)
def test_impossible_recipes_are_refused(recipe: Path, old: str, new: str, says: str) -> None:
    assert old in RECIPE
    bad = recipe.with_name("bad.toml")
    bad.write_text(RECIPE.replace(old, new, 1))
    with pytest.raises(RecipeError, match=says):
        LettersRun(bad, recipe.parent / "runs" / "bad", Notes())


def test_the_command_trains_and_says_how_to_use_it(
    capsys: pytest.CaptureFixture[str], recipe: Path, trained: LettersRun, tmp_path: Path
) -> None:
    """The run is done: the command finds its checkpoint and exports."""
    shutil.copytree(trained.paths.folder, tmp_path / "run")
    out = tmp_path / "aligner"
    done = run(capsys, "train-aligner", recipe, "--run", tmp_path / "run", "--out", out)
    assert (done.code, done.out.strip()) == (0, str(out)) and f"--aligner {out}" in done.err
    assert (out / "recipe.toml").read_text() == RECIPE
    (out / "mine.txt").write_text("mine")
    done = run(capsys, "train-aligner", recipe, "--run", tmp_path / "run", "--out", out)
    assert done.code == 2 and "mine.txt" in done.err and (out / "mine.txt").exists()
    arguments = ["train-aligner", recipe, "--out", tmp_path / "new", "--now", "--run"]
    done = run(capsys, *arguments, tmp_path / "run")
    assert done.code == 0 and load_letter_model(tmp_path / "new").metadata.epochs == 10
    done = run(capsys, *arguments, tmp_path / "no-run")
    assert done.code == 2 and "no checkpoint" in done.err
    done = run(capsys, *arguments, tmp_path / "run", "--restart")
    assert done.code == 2 and "exclude each other" in done.err
    done = run(capsys, "train-aligner", tmp_path / "none.toml", "--out", out)
    assert done.code == 2 and "none.toml" in done.err
