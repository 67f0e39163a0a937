"""The folder of an aligner: written, read back, and refused where anything is wrong with it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tone_letters import FRAMES_PER_STEP, RATE, spoken, tone_letters, write_tone_letters

from wakeword.alignment.model import (
    LetterModel,
    Placing,
    load_letter_model,
    plain_text,
    save_letter_model,
)
from wakeword.errors import BundleError, ConfigError


@pytest.fixture(autouse=True)
def _fresh() -> None:
    load_letter_model.cache_clear()


def test_a_folder_gives_back_what_was_written(tmp_path: Path) -> None:
    model = tone_letters(smoothing_steps=9)
    save_letter_model(tmp_path / "tones", model, 'name = "tones"\n')
    loaded = load_letter_model(tmp_path / "tones")
    assert loaded.metadata == model.metadata and loaded.metadata.placing.smoothing_steps == 9
    assert sorted(p.name for p in (tmp_path / "tones").iterdir()) == [
        "aligner.json", "letters.onnx", "recipe.toml",
    ]  # fmt: skip
    clip = spoken("fade", 1.0, 0.2)
    np.testing.assert_array_equal(loaded.posteriors(clip), model.posteriors(clip))


def test_steps_are_where_the_metadata_say(tmp_path: Path) -> None:
    """A single tone: the step of its middle says its letter, the steps around it do not."""
    model = tone_letters()
    assert (model.step_s, model.first_s) == (0.02, 0.0125)
    posteriors = model.posteriors(spoken("d", 2.0, 1.0))
    assert posteriors.shape == (-(-198 // FRAMES_PER_STEP), 8)
    times = model.first_s + model.step_s * np.flatnonzero(posteriors[:, 4] > 0.5)
    assert times[0] == pytest.approx(1.0, abs=0.02) and times[-1] == pytest.approx(1.1, abs=0.02)
    assert model.posteriors(np.zeros(399, np.float32)).shape == (0, 8)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0, atol=1e-5)


def test_texts_are_spelt_as_they_are_said() -> None:
    metadata = tone_letters().metadata
    assert metadata.spell("Bad, cab!") == [2, 1, 4, 7, 3, 1, 2]
    assert metadata.spell_or_none("baz") is None and metadata.spell_or_none("- -") == []
    assert plain_text("  The Cat\N{RIGHT SINGLE QUOTATION MARK}s -- 3 _hats_ (NEW)") == (
        "the cat's 3 hats new"
    )
    assert plain_text("über-Straße", letters="") == "über straße"


def test_an_aligner_replaces_an_aligner_and_nothing_else(tmp_path: Path) -> None:
    folder = write_tone_letters(tmp_path / "out")
    save_letter_model(folder, tone_letters("abc"))
    assert load_letter_model(folder).metadata.letters == "abc"
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match=r"not part of an aligner: thesis\.tex"):
        save_letter_model(folder, tone_letters())
    assert (folder / "thesis.tex").read_text() == "years of work"


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / "aligner.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema_version": 2}, "schema_version = 2"),
        ({"letters": ""}, "letters"),
        ({"letters": "aa"}, "letters"),
        ({"frames_per_step": 0}, "frames_per_step = 0"),
        ({"sha256": "0" * 64}, "sha256"),
        ({"colour": "red"}, "unknown key"),
        ({"placing": {"smoothing_steps": 4}}, "smoothing_steps = 4"),
        ({"placing": {"padding_s": [-0.1, 0.0]}}, "padding_s"),
        ({"placing": {"decay": {"rate": 2.0}}}, "decay.rate = 2.0"),
    ],
)
def test_damaged_metadata_are_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    folder = write_tone_letters(tmp_path / "tones")
    _edit(folder, **changes)
    with pytest.raises(BundleError, match=says):
        load_letter_model(folder)


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    folder = write_tone_letters(tmp_path / "tones")
    with pytest.raises(BundleError, match="nowhere"):
        load_letter_model(tmp_path / "nowhere")
    shutil.copytree(folder, tmp_path / "half")
    (tmp_path / "half" / "letters.onnx").unlink()
    with pytest.raises(BundleError, match=r"letters\.onnx"):
        load_letter_model(tmp_path / "half")
    data = (folder / "letters.onnx").read_bytes()
    (folder / "letters.onnx").write_bytes(data[:-1])
    with pytest.raises(BundleError, match="sha256"):
        load_letter_model(folder)


def test_a_network_of_another_shape_is_refused() -> None:
    model = tone_letters()
    fewer = replace(model.metadata, letters="abc")
    with pytest.raises(BundleError, match="shape"):
        LetterModel(fewer, model.model).posteriors(spoken("d", 1.0, 0.2))
    other = replace(model.metadata, frontend=replace(model.metadata.frontend, n_mels=48))
    with pytest.raises(BundleError, match="aligner 'tones' failed"):
        LetterModel(other, model.model).posteriors(np.zeros(RATE, np.float32))
    with pytest.raises(BundleError, match="cannot load"):
        LetterModel(model.metadata, b"no network")


@pytest.mark.parametrize("values", [{"smoothing_steps": 0}, {"path_padding_s": (0.0, 2.0)}])
def test_impossible_placing_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        Placing(**values)
