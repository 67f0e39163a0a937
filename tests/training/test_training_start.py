"""Weights read back from an exported network, and a run that begins with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bundles import load_tiny_bundle
from run_notes import Notes
from tone_recipe import write_tone_recipe

from wakeword.errors import BundleError, RecipeError
from wakeword.networks import Network, build
from wakeword.runtime import Bundle, write_bundle
from wakeword.training.export import export_onnx
from wakeword.training.recipe import read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.start import blended, start_from, weights

SMALL = {"filters": 3, "kernel": [7, 5], "recurrent_units": 5, "hidden": 6}
LABELS = ("background", "low tone", "high tone")


def network(seed: int, **parameters: object) -> Network:
    torch.manual_seed(seed)
    return build("crnn", SMALL | parameters, 151, 40, len(LABELS))


def bundle_of(model: Network, folder: Path) -> Bundle:
    bundle = load_tiny_bundle(folder)
    assert bundle.metadata.labels == LABELS
    return replace(bundle, model=export_onnx(model, 151, 40))


@pytest.mark.parametrize("unit", ["GRU", "LSTM"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("rank", [0, 4])
def test_what_was_exported_is_read_back_to_the_bit(unit: str, layers: int, rank: int) -> None:
    model = network(
        1, recurrent_unit=unit, recurrent_layers=layers, recurrent_rank=rank, hidden_rank=rank
    )
    found = weights(export_onnx(model, 151, 40))
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(found[k], v) for k, v in model.state_dict().items())


def test_a_network_with_other_words_keeps_its_own_output_layer(tmp_path: Path) -> None:
    first, same, other = network(1), network(2), network(3)
    before = other.state_dict()["output.weight"].clone()
    bundle = bundle_of(first, tmp_path)
    start_from(same, bundle, LABELS)
    start_from(other, bundle, ("background", "low tone", "whistle"))
    for name, value in first.state_dict().items():
        assert torch.equal(same.state_dict()[name], value)
        assert torch.equal(other.state_dict()[name], value) != name.startswith("output.")
    assert torch.equal(other.state_dict()["output.weight"], before)


@pytest.mark.parametrize(("unit", "rank_of_all"), [("GRU", 30), ("LSTM", 40)])
def test_narrow_matrices_begin_as_the_nearest_to_full_ones(
    tmp_path: Path, unit: str, rank_of_all: int
) -> None:
    """Of full rank they are the same network; of less, what no matrix of that rank is nearer to."""
    first = network(1, recurrent_unit=unit)
    bundle = bundle_of(first, tmp_path)
    windows = torch.randn(3, 151, 40, generator=torch.Generator().manual_seed(5))
    full = network(2, recurrent_unit=unit, recurrent_rank=rank_of_all, hidden_rank=6)
    start_from(full, bundle, LABELS)
    torch.testing.assert_close(full.eval()(windows), first.eval()(windows))
    narrow = network(3, recurrent_unit=unit, recurrent_rank=2, hidden_rank=3)
    start_from(narrow, bundle, LABELS)
    was, now = first.state_dict(), narrow.state_dict()
    for rank, wide, inside in (
        (2, ["recurrent.weight_ih_l0", "recurrent.weight_ih_l0_reverse"], "narrow_found.weight"),
        (3, ["hidden.weight"], "narrow_said.weight"),
    ):
        before = torch.cat([was[name] for name in wide])
        after = torch.cat([now[name] for name in wide]) @ now[inside]
        left_out = torch.linalg.svdvals(before)[rank:].square().sum().sqrt()
        torch.testing.assert_close((before - after).norm(), left_out)


def test_a_narrow_network_may_begin_with_a_narrow_one(tmp_path: Path) -> None:
    """Whose inner rank is also the width of one position."""
    ranks = {"recurrent_rank": 4, "hidden_rank": 2 * 5}
    first, again = network(1, **ranks), network(2, **ranks)
    start_from(again, bundle_of(first, tmp_path), LABELS)
    for name, value in first.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_with_another_stride_the_hidden_layer_lies_between_what_it_was(tmp_path: Path) -> None:
    first, other = network(1), network(2, stride=[10, 2])
    width = 2 * 5
    with torch.no_grad():  # a line over the positions stays one
        line = torch.linspace(1.0, 3.0, 19)[:, None] * torch.arange(1.0, width + 1.0)
        dict(first.named_parameters())["hidden.weight"][:] = line.flatten()
    start_from(other, bundle_of(first, tmp_path), LABELS)
    found, before = other.state_dict(), first.state_dict()
    expected = torch.linspace(1.0, 3.0, 16)[:, None] * torch.arange(1.0, width + 1.0) * 19 / 16
    assert torch.allclose(found["hidden.weight"], expected.flatten().expand(6, -1))
    assert torch.allclose(found["hidden.weight"].sum(1), before["hidden.weight"].sum(1))
    same = [name for name in before if name != "hidden.weight"]
    assert all(torch.equal(found[name], before[name]) for name in same)


@pytest.mark.parametrize("change", [{"hidden": 7}, {"recurrent_layers": 1}, {"filters": 4}])
def test_another_network_is_refused(change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="not that of this recipe"):
        start_from(network(1, **change), bundle_of(network(2), tmp_path), LABELS)


def test_a_blend_of_other_words_is_refused_and_nothing_is_changed_by_blending(
    tmp_path: Path,
) -> None:
    model, bundle = network(1), bundle_of(network(2), tmp_path)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert torch.allclose(
        blended(model, bundle, LABELS, 0.5).state_dict()["output.bias"],
        0.5 * before["output.bias"] + 0.5 * weights(bundle.model)["output.bias"],
    )
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    with pytest.raises(RecipeError, match="words"):
        blended(model, bundle, ("background", "low tone", "whistle"), 0.5)


@pytest.mark.parametrize("blend", ["0.5", "1.0", "-0.1", "nan"])
def test_an_impossible_blend_is_refused(blend: str, tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    recipe.write_text(recipe.read_text().replace("[training]\n", f"[training]\nblend = {blend}\n"))
    with pytest.raises(RecipeError, match="blend = "):
        read_recipe(recipe)


def test_a_run_begins_with_the_weights_of_the_bundle_it_names(tmp_path: Path) -> None:
    recipe = write_tone_recipe(tmp_path)
    fresh = TrainingRun(recipe, tmp_path / "runs" / "first", 0, Notes())
    weighty = {k: v + 1.0 for k, v in fresh.trainer.average.state_dict().items()}
    fresh.trainer.average.load_state_dict(weighty)
    bundle = fresh.bundle()
    write_bundle(tmp_path / "first", bundle.model, bundle.metadata, "# Card\n")
    text = recipe.read_text().replace("[training]\n", '[training]\nstart = "first"\n')
    recipe.write_text(text)
    assert read_recipe(recipe).training.start == "first"
    notes = Notes()
    run = TrainingRun(recipe, tmp_path / "runs" / "second", 0, notes)
    for state in (run.trainer.model.state_dict(), run.trainer.average.state_dict()):
        assert all(torch.equal(state[k], v) for k, v in weighty.items())
    assert any(note.startswith("starting from") for note in notes.notes)
    # At the end half of them come back: the run itself has not moved yet, so move it.
    run.trainer.average.load_state_dict({k: v - 3.0 for k, v in weighty.items()})
    recipe.write_text(text.replace("[training]\n", "[training]\nblend = 0.25\n"))
    half = TrainingRun(recipe, tmp_path / "runs" / "second", 0, notes)
    half.trainer.restore(run.trainer.checkpoint())
    found = weights(half.bundle().model)
    for name, value in weighty.items():
        assert torch.allclose(found[name], value - 2.25, atol=1e-5)
    recipe.write_text(text.replace('"first"', '"nowhere"'))
    with pytest.raises(BundleError):
        TrainingRun(recipe, tmp_path / "runs" / "third", 0, Notes())
