"""Networks for Cortex-M: memory and operations against the printed ones, cells against torch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wakeword.errors import ConfigError
from wakeword.networks import (
    BUDGETS,
    NETWORKS,
    Budget,
    NamedNetwork,
    Network,
    build,
    build_named,
    flops_per_window,
    memory,
)
from wakeword.networks.conv_gru import ConvGruConfig
from wakeword.networks.dnn import DnnConfig
from wakeword.networks.recurrent import ProjectedLstm, RecurrentConfig, remembering

CLASSES = 12
CORTEX = [n for n in NETWORKS.values() if n.printed and n.printed.memory_kb]
SIZES = {"s": "small", "m": "medium", "l": "large"}


def test_all_families_and_sizes_are_there() -> None:
    families = ("dnn", "cnn", "basic-lstm", "lstm", "gru", "crnn", "ds-cnn")
    assert {n.name for n in CORTEX} == {f"{f}-{size}" for f in families for size in SIZES}


@pytest.mark.parametrize("network", CORTEX, ids=lambda n: n.name)
def test_memory_and_operations_are_those_printed_and_within_the_budget(
    network: NamedNetwork,
) -> None:
    """A GRU of torch has one more bias a cell; the paper does not say which additions it counts."""
    assert network.printed and network.printed.memory_kb and network.printed.mflops
    model = build_named(network.name, CLASSES)
    used, operations = memory(model), flops_per_window(model)
    assert used.total / 1000 == pytest.approx(network.printed.memory_kb, rel=0.004)
    assert operations / 1e6 == pytest.approx(network.printed.mflops, rel=0.025)
    assert BUDGETS[SIZES[network.name[-1]]].holds(used.total, operations)


def test_memory_of_the_small_networks_by_hand() -> None:
    dense = 250 * 144 + 2 * 144**2 + 144 * 12 + 3 * 144 + 12
    found = memory(build_named("dnn-s", CLASSES))
    assert (found.weights, found.activations) == (dense, 250 + 144)
    # Batch norm is folded into biases: one for each filter.
    block = 9 * 64 + 64 + 64 * 64 + 64
    separable = memory(build_named("ds-cnn-s", CLASSES))
    assert separable.weights == 40 * 64 + 64 + 4 * block + 64 * 12 + 12
    assert separable.activations == 2 * 25 * 5 * 64
    cell = 4 * 118 * (10 + 118 + 1)
    recurrent = memory(build_named("basic-lstm-s", CLASSES))
    assert recurrent.weights == cell + 118 * 12 + 12
    assert recurrent.activations == 490 + 4 * 118


def test_the_input_of_a_residual_block_stays_beside_its_layers() -> None:
    """The second convolution of the first block: its input and output, and the block's input."""
    found = memory(build_named("tc-resnet8", CLASSES))
    assert found.activations == max(98 * 40 + 98 * 16, 98 * 16 + 2 * 49 * 24)
    res = memory(build_named("res15-narrow", CLASSES))
    assert res.activations == 3 * 98 * 40 * 19
    # Its batch norm has no convolution just before it: scale and shift remain.
    assert res.weights == 9 * 19 + 13 * 9 * 19**2 + 13 * 2 * 19 + 19 * 12


def test_memory_of_layers_that_go_both_ways_holds_the_whole_sequence() -> None:
    model = build("crnn", {"recurrent_layers": 1}, 151, 40, 2)
    lstm = build("crnn", {"recurrent_layers": 1, "recurrent_unit": "LSTM"}, 151, 40, 2)
    assert memory(lstm).weights > memory(model).weights
    cell = 2 * (3 * 32 * (640 + 32) + 4 * 32)
    assert memory(model).weights == 32 * 100 + 32 + cell + (19 * 64 + 1) * 64 + 65 * 2


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # torch's own is the slow one
def test_a_projected_lstm_without_peepholes_is_torchs() -> None:
    torch.manual_seed(1)
    ours, torchs = ProjectedLstm(7, 11, 5), nn.LSTM(7, 11, batch_first=True, proj_size=5)
    nn.init.zeros_(ours.peepholes)
    with torch.no_grad():
        torchs.weight_ih_l0.copy_(ours.own.weight)
        torchs.bias_ih_l0.copy_(ours.own.bias)
        torchs.bias_hh_l0.zero_()
        torchs.weight_hh_l0.copy_(ours.fed_back.weight)
        torchs.weight_hr_l0.copy_(ours.project.weight)
        x = torch.randn(3, 9, 7)
        torch.testing.assert_close(ours(x)[0][:, 0], torchs(x)[0][:, -1])


def test_peepholes_let_gates_see_the_cells() -> None:
    """Against Sak et al. 2014, written out for one cell and two frames."""
    torch.manual_seed(1)
    lstm = ProjectedLstm(1, 1, 1)
    x = torch.randn(2)
    own, back = lstm.own.weight[:, 0], lstm.fed_back.weight[:, 0]
    sigmoid, cell, state = torch.sigmoid, torch.zeros(()), torch.zeros(())
    for value in x:
        take, forget, new, out = own * value + lstm.own.bias + back * state
        peep = lstm.peepholes[:, 0]
        cell = sigmoid(forget + peep[1] * cell) * cell + (
            sigmoid(take + peep[0] * cell) * torch.tanh(new)
        )
        state = lstm.project.weight[0, 0] * sigmoid(out + peep[2] * cell) * torch.tanh(cell)
    torch.testing.assert_close(lstm(x[None, :, None])[0].flatten(), state[None])


def test_cells_begin_by_remembering() -> None:
    lstm = remembering(nn.LSTM(3, 4, 2, bidirectional=True))
    for name, value in lstm.named_parameters():
        if "bias" in name:
            assert torch.all(value[4:8] == (1.0 if "_ih_" in name else 0.0))
            assert torch.any(value[:4] != value[0])


@pytest.mark.parametrize("name", ["gru-s", "basic-lstm-s", "lstm-s", "crnn-s"])
def test_late_frames_matter_most_and_the_first_is_not_forgotten(name: str) -> None:
    torch.manual_seed(1)
    model: Network = build_named(name, 3).eval()
    windows = torch.zeros(3, model.frames, model.channels)
    windows[1, 0] = 1.0
    windows[2, -3] = 1.0  # a kernel with a stride of two may end before the last
    with torch.no_grad():
        silence, early, late = model(windows)
    assert (late - silence).abs().max() > (early - silence).abs().max() > 0.0


def test_impossible_sizes_and_budgets_are_refused() -> None:
    for make in (
        lambda: DnnConfig(hidden=()), lambda: RecurrentConfig(units=0),
        lambda: RecurrentConfig(projection=200), lambda: RecurrentConfig(unit="GRU", projection=3),
        lambda: RecurrentConfig(layers=2, projection=3), lambda: ConvGruConfig(kernel=(0, 4)),
        lambda: Budget("none", 0, 1),
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            make()
    with pytest.raises(ConfigError, match="a kernel of 10 frames by 4 channels does not fit"):
        build("crnn-s", {}, 9, 10, 3)
