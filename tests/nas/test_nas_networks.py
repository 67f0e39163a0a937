"""Networks of cells: closed forms of their sizes, mixed operations, the cells that are left."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from wakeword.networks import build, macs, memory, parameter_count, total_parameters
from wakeword.networks.nas.cells import Stack
from wakeword.networks.nas.genotype import Genotype, random_genotype
from wakeword.networks.nas.operations import SETS, ZERO, make_operation, operation_names
from wakeword.networks.nas.supernet import EDGES, Mixed, Space, Supernet

ALL = sorted({*operation_names("nas1"), *operation_names("nas2")})
FRAMES, CHANNELS, LABELS = 25, 10, 4


def genotype(operation: str) -> Genotype:
    """Every edge does the same, and comes from the two inputs of the cell."""
    cell = (((operation, 0), (operation, 1)),) * 4
    return Genotype("nas2" if operation.startswith("conv") else "nas1", cell, cell)


def table_of(operation: str, **others: object) -> dict[str, object]:
    return {"genotype": genotype(operation).to_dict(), **others}


def test_there_are_seven_kinds_of_operations_in_two_sets() -> None:
    assert len({*SETS["nas1"], *SETS["nas2"]}) == 7
    assert set(SETS["nas1"]) ^ set(SETS["nas2"]) == {"sep-conv", "conv"}
    assert len(operation_names("nas1")) == 8 and len(operation_names("nas1", (3,))) == 6


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", ALL)
def test_an_operation_keeps_channels_and_divides_the_resolution_up(name: str, stride: int) -> None:
    x = torch.randn(2, 6, 25, 9)
    y = make_operation(name, 6, stride)(x)
    assert y.shape == ((2, 6, 25, 9) if stride == 1 else (2, 6, 13, 5))
    if name == ZERO:
        assert not y.any()


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("skip", 0), ("avg-pool-3x3", 0), ("max-pool-3x3", 0),
        ("conv-3x3", 9 * 36 + 12), ("dil-conv-5x5", 25 * 36 + 12),
        ("sep-conv-3x3", 2 * (9 * 6 + 36 + 12)), ("sep-conv-5x5", 2 * (25 * 6 + 36 + 12)),
    ],
)  # fmt: skip
def test_an_operation_has_the_weights_of_its_closed_form(name: str, weights: int) -> None:
    assert parameter_count(make_operation(name, 6, 1)) == weights


def test_a_dilated_convolution_reaches_twice_as_far() -> None:
    operation = make_operation("dil-conv-3x3", 1, 1).eval()
    x = torch.zeros(1, 1, 11, 11)
    x[0, 0, 5, 5] = 1.0
    reached = operation(x)[0, 0].nonzero()
    assert {int(v) for v in reached.flatten()} == {3, 5, 7}


@pytest.mark.parametrize("operations", SETS)
def test_a_mixed_operation_with_all_of_its_weight_on_one_is_that_one(operations: str) -> None:
    names = operation_names(operations)
    for stride in (1, 2):
        mixed, x = Mixed(names, 4, stride).eval(), torch.randn(2, 4, 9, 7)
        for k, name in enumerate(names):
            shares = torch.eye(len(names))[k]
            assert torch.allclose(mixed(x, shares), mixed.operations[k](x), atol=1e-6), name
        even = torch.full((len(names),), 1.0 / len(names))
        mean = torch.stack([op(x) for op in mixed.operations]).mean(0)
        assert torch.allclose(mixed(x, even), mean, atol=1e-5)


def entrance(before: int, last: int, width: int) -> int:
    return (before + last) * width + 4 * width


@pytest.mark.parametrize(("cells", "channels"), [(1, 16), (6, 16), (12, 4)])
@pytest.mark.parametrize(("operation", "weights"), [
    ("avg-pool-3x3", lambda c: 0),
    ("sep-conv-3x3", lambda c: 2 * (9 * c + c * c + 2 * c)),
    ("conv-5x5", lambda c: 25 * c * c + 2 * c),
])  # fmt: skip
def test_parameters_are_those_of_the_closed_form(
    cells: int, channels: int, operation: str, weights: object
) -> None:
    """N N R N N R: a cell of width c gets 4 times the width of the two cells before it."""
    widths = [channels * 2 ** ((k + 1) // 3) for k in range(cells)]
    outputs = [3 * channels, 3 * channels, *(4 * w for w in widths)]
    assert callable(weights)
    expected = 9 * outputs[0] + 2 * outputs[0]  # the head
    for k, width in enumerate(widths):
        expected += entrance(outputs[k], outputs[k + 1], width) + 8 * weights(width)
    expected += (outputs[-1] + 1) * LABELS
    table = table_of(operation, cells=cells, channels=channels)
    model = build("nas", table, 98, 40, LABELS)
    assert parameter_count(model) == expected
    # Batch norm keeps a mean and a variance beside each scale and shift.
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert total_parameters(model) == expected + 2 * sum(m.num_features for m in norms)


def test_reductions_halve_and_double_where_they_are_asked_for() -> None:
    assert sorted(Stack(6).reducing) == [2, 5] and sorted(Stack(12).reducing) == [2, 5, 8, 11]
    assert [s.channels for s in Stack(6, 16).shapes] == [16, 16, 32, 32, 32, 64]
    # What docs/nas.md says of the paper's 281K parameters: entrances of 12 cells alone.
    for reductions, weights in (((), 652_544), ((4, 8), 140_544)):
        shapes = Stack(12, 16, reductions).shapes
        assert sum((s.before + s.last) * s.channels for s in shapes) == weights
    early = Stack(6, 16, (1, 2))
    assert [s.channels for s in early.shapes] == [16, 32, 64, 64, 64, 64]
    model = build("nas", table_of("skip", reductions=[1, 2]), FRAMES, CHANNELS, LABELS)
    sizes = []
    for cell in model.cells:
        cell.register_forward_hook(lambda *a: sizes.append(tuple(a[2].shape[2:])))
    model(torch.randn(2, FRAMES, CHANNELS))
    assert sizes == [(25, 10), (13, 5), (7, 3), (7, 3), (7, 3), (7, 3)]


def test_multiplications_of_one_cell_are_those_of_the_closed_form() -> None:
    model = build("nas", table_of("conv-3x3", cells=1, channels=4), FRAMES, CHANNELS, LABELS)
    positions = FRAMES * CHANNELS
    wanted = positions * (9 * 12 + 2 * 12 * 4 + 8 * 9 * 16) + 16 * LABELS
    assert macs(model) == wanted
    # Both nodes before the cell, and those in it, are there while the last convolution runs.
    assert memory(model).activations >= positions * (12 + 2 * 4 + 3 * 4 + 2 * 4)


@pytest.mark.parametrize("operations", SETS)
def test_what_is_left_has_the_greatest_weights(operations: str) -> None:
    space = Space(operations, (3,), Stack(3, 2))
    net = Supernet(space, FRAMES, CHANNELS, LABELS)
    names = space.names
    wanted = random_genotype(operations, (3,), rng=random.Random(5))
    with torch.no_grad():
        for alpha, cell in zip(net.architecture, wanted.cells.values(), strict=True):
            assert alpha.shape == (EDGES, len(names))
            alpha.zero_()
            alpha[:, names.index(ZERO)] = 9.0  # however strong, no connection is none
            first = 0
            for node, edges in enumerate(cell, 2):
                for operation, source in edges:
                    alpha[first + source, names.index(ZERO)] = 0.0
                    alpha[first + source, names.index(operation)] = 3.0
                first += node
    assert net.genotype() == wanted


def test_the_supernet_is_the_found_network_when_it_has_decided() -> None:
    """Without scales of batch norm, one edge a node: what is left does the same."""
    space = Space("nas1", (3,), Stack(1, 3))
    net = Supernet(space, FRAMES, CHANNELS, LABELS).train()
    names = list(space.names)
    with torch.no_grad():
        net.alpha_normal.fill_(-1e4)
        net.alpha_normal[:, names.index(ZERO)] = 0.0
        first = 0
        for node in range(2, 6):
            row = net.alpha_normal[first + 1]
            row[names.index(ZERO)], row[names.index("sep-conv-3x3")] = -1e4, 0.0
            first += node
    edges = ((("sep-conv-3x3", 1),),) * 4
    g = Genotype("nas1", edges, edges)
    table = {"genotype": g.to_dict(), "cells": 1, "channels": 3}
    found = build("nas", table, FRAMES, CHANNELS, LABELS).train()
    state = found.state_dict()
    own = net.state_dict()
    k = names.index("sep-conv-3x3")
    for name in state:
        part = name.replace("cells.0.", "")
        if part.startswith("nodes."):
            node, rest = int(part.split(".")[1]), part.split(".operations.0.")[1]
            at = sum(range(2, 2 + node)) + 1
            part = f"edges.{at}.operations.{k}.{rest}"
        source = f"cells.0.{part}" if name.startswith("cells.0.") else name
        if source in own:
            state[name] = own[source]
    found.load_state_dict(state)
    x = torch.randn(4, FRAMES, CHANNELS)
    assert torch.allclose(found(x), net(x), atol=1e-5)
